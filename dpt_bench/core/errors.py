"""The errors people see: what went wrong, where, and what to do next.

DptBenchError            exit 1: the work failed
+-- UsageError           exit 2: the call was wrong (unknown name, missing folder, invalid TOML)
|   +-- UnknownNameError with "did you mean"
+-- DataError            exit 1: a file or folder of ours is corrupt or incompatible (checkpoint, shard, results)
+-- SampleError          one sample cannot be used; becomes a row with a reason, never an abort
    +-- FormatError      bytes are not what their format promises
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class DptBenchError(Exception):
    """Base of all errors that are shown to a person as one block of three lines.

    Args:
        what: one sentence: what went wrong.
        where: the file, key, URL or argument it concerns.
        fix: what to do next.
    """

    exit_code = 1

    def __init__(self, what: str, *, where: object = None, fix: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.where = None if where is None else str(where)
        self.fix = fix

    def __str__(self) -> str:
        lines = [self.what]
        if self.where:
            lines.append(f"  where: {self.where}")
        if self.fix:
            lines.append(f"  to do: {self.fix}")
        return "\n".join(lines)

    def __reduce__(self) -> tuple[object, ...]:  # keyword-only arguments would be lost between processes
        return _restore, (type(self), dict(self.__dict__), self.args)


def _restore(kind: type[DptBenchError], state: dict[str, object], args: tuple[object, ...]) -> DptBenchError:
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(state)
    return error


class UsageError(DptBenchError):
    """The call was wrong: exit code 2."""

    exit_code = 2


class UnknownNameError(UsageError):
    """A name that no catalog knows; the message lists the nearest and all names."""

    def __init__(self, kind: str, name: str, known: Iterable[str], *, fix: str | None = None) -> None:
        names = sorted(known)
        close = get_close_matches(name, names, n=3)
        hint = f"did you mean {' or '.join(repr(match) for match in close)}? " if close else ""
        listing = ", ".join(names) if names else "none"
        super().__init__(f"unknown {kind} {name!r}", fix=fix or f"{hint}known: {listing}")


class DataError(DptBenchError):
    """A file of ours (checkpoint, shard, ledger, results) is corrupt, foreign or incompatible."""


class SampleError(DptBenchError):
    """One sample cannot be used. `reason` is a stable slug that reports and ledgers count by."""

    def __init__(self, reason: str, what: str, *, where: object = None) -> None:
        super().__init__(what, where=where)
        self.reason = reason


class FormatError(SampleError):
    """Bytes are not what their format promises: truncated, wrong magic, wrong dtype, too many pixels."""

    def __init__(self, what: str, *, where: object = None, reason: str = "corrupt-file") -> None:
        super().__init__(reason, what, where=where)
