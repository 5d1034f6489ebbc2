"""From a network to a file or folder of a target: whole or not at all, and never over something else."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from safetensors import SafetensorError

from dpt_bench.core.catalog import load_plugin
from dpt_bench.core.errors import UsageError
from dpt_bench.model.export._contract import Export, Target

PACKAGE = "dpt_bench.model.export"


def export_model(export: Export, target: str, out: Path, *, force: bool = False) -> list[str]:
    """Write a network for another project; what differs there from the network's own formula, one sentence each.

    Args:
        export: the network.
        target: file name in dpt_bench/model/export/.
        out: the file or folder to write; it appears when it is complete.
        force: replace what is at `out`; of a folder, only one that holds nothing but files that this export writes.

    Raises:
        UnknownNameError: no such target.
        UsageError: the target has no such network, `out` is taken or cannot be written, an extra is not installed.
    """
    writer = cast("Target", load_plugin(PACKAGE, target, kind="export target"))
    _refuse_taken(out, force=force)
    with _whole(out, folder=writer.FOLDER) as temporary:
        return writer.write(export, temporary)


def _refuse_taken(out: Path, *, force: bool) -> None:
    if out.exists() and not force:
        raise UsageError(
            "there is something already", where=out, fix="choose another place, or replace it with --force"
        )


@contextmanager
def _whole(out: Path, *, folder: bool) -> Iterator[Path]:
    """A place beside `out` that takes its name once all is written."""
    temporary = out.with_name(f".{out.name}.{os.getpid()}.tmp")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        try:
            if folder:
                temporary.mkdir()
            yield temporary
            _replace(temporary, out)
        finally:
            _remove(temporary)
    except (OSError, SafetensorError) as error:
        raise UsageError(
            f"it cannot be written: {error}", where=out, fix="make the folder writable and leave room on its disk"
        ) from error


def _replace(temporary: Path, out: Path) -> None:
    if not out.exists():
        temporary.rename(out)
        return
    strange = _strange(temporary, out)
    if strange:
        raise UsageError(
            f"it holds what this export would not write, and is left as it is: {strange[0]}",
            where=out,
            fix="choose another place, or remove it by hand",
        )
    if not out.is_dir():
        temporary.replace(out)
        return
    old = temporary.with_suffix(".old")
    out.rename(old)
    temporary.rename(out)
    _remove(old)


def _strange(temporary: Path, out: Path) -> list[str]:
    """What would be lost if `out` were replaced, other than an earlier export."""
    if temporary.is_dir() != out.is_dir():
        return ["a folder" if out.is_dir() else "a file"]
    if not out.is_dir():
        return []
    return sorted({item.name for item in out.iterdir()} - {item.name for item in temporary.iterdir()})


def _remove(place: Path) -> None:
    if place.is_dir():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)
