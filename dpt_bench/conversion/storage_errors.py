"""Trouble of the storage: what is worth another try, what is not, and how to tell a person."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable
from typing import TypeVar

from dpt_bench.core.errors import DataError, DptBenchError, UsageError

PAUSES_S = (0.2, 1.0, 3.0)
"""Waits between tries: network file systems and object stores recover within seconds or not at all."""

GO_ON = "then run the same build again: it goes on where it stopped"

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR}

Value = TypeVar("Value")


def is_hopeless(error: OSError) -> bool:
    """Whether trying again cannot help: no space, no permission."""
    return isinstance(error, PermissionError) or error.errno in _FULL | _FORBIDDEN


def retrying(work: Callable[[], Value]) -> Value:
    """The result of `work`, tried again a few times after an OSError that is not hopeless.

    Raises:
        OSError: of the last try.
    """
    for pause in PAUSES_S:
        try:
            return work()
        except OSError as error:
            if is_hopeless(error):
                raise
            time.sleep(pause)
    return work()


def explain(error: OSError, where: str) -> DptBenchError:
    """The error to show: a full disk, an output that cannot be written, or a storage that failed repeatedly."""
    reason = error.strerror or str(error)
    if error.errno in _FULL:
        return DataError(f"the shards do not fit: {reason}", where=where, fix=f"free some space, {GO_ON}")
    if is_hopeless(error):
        fix = "check the credentials and the bucket's policy, or " if "://" in where else ""
        return UsageError(f"the output cannot be written: {reason}", where=where, fix=f"{fix}choose another --out")
    return DataError(f"the storage failed again and again: {error}", where=where, fix=f"check it, {GO_ON}")
