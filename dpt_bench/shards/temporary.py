"""Temporary files beside their target, locked by their writer, so that those of a killed one can be removed."""

from __future__ import annotations

import fcntl
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_TEMPORARY = re.compile(r"\.(?P<target>.+)\.[0-9a-f]{32}\.tmp")


@contextmanager
def locked_temporary(target: Path) -> Iterator[Path]:
    """A new file in the target's folder, under a name of its own, locked while the block runs and removed after it.

    Raises:
        OSError: the folder cannot be written.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    path = target.parent / f".{target.name}.{uuid.uuid4().hex}.tmp"
    with path.open("xb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)


def is_temporary(name: str) -> bool:
    """Whether a file name is one that `locked_temporary` gives."""
    return _TEMPORARY.fullmatch(name) is not None


def remove_abandoned(folder: Path, target: str = "*") -> None:
    """Remove the temporary files, of one target or of all, whose writer is dead: the kernel drops a lock with it."""
    for path in folder.glob(f".{target}.*.tmp"):
        if is_temporary(path.name) and not _is_locked(path):
            path.unlink(missing_ok=True)


def _is_locked(path: Path) -> bool:
    with suppress(FileNotFoundError), path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
