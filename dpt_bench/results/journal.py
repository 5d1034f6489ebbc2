"""JSON lines that a process appends as images finish: a kill at any moment costs the images in flight and no more."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterator
from io import BufferedWriter
from pathlib import Path
from types import TracebackType

from pydantic import ValidationError

from dpt_bench.core.errors import DataError
from dpt_bench.results.schema import ImageResult

SYNC_SECONDS = 1.0


class Journal:
    """One process's file, created with its first line.

    Every line reaches the operating system at once, which a killed process survives; it is forced to the disk at most
    once a second, which bounds what a power cut takes.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / f"{time.time_ns()}-{os.getpid()}-{secrets.token_hex(4)}.jsonl"
        self._file: BufferedWriter | None = None
        self._synced = time.monotonic()

    def append(self, result: ImageResult) -> None:
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("xb")
        self._file.write(result.model_dump_json().encode() + b"\n")
        self._file.flush()
        if time.monotonic() - self._synced >= SYNC_SECONDS:
            self._sync()

    def close(self) -> None:
        if self._file is not None:
            self._sync()
            self._file.close()
            self._file = None

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _sync(self) -> None:
        assert self._file is not None
        os.fsync(self._file.fileno())
        self._synced = time.monotonic()


def read_journal(path: Path) -> Iterator[ImageResult]:
    """The results in a journal; a last line without its newline was cut off by a kill, and is left out.

    Raises:
        DataError: a whole line is not a result.
    """
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.endswith(b"\n"):
                return
            try:
                yield ImageResult.model_validate_json(line)
            except ValidationError as error:
                raise DataError(
                    f"line {number} of a results journal is not a result: {error.errors()[0]['msg']}",
                    where=path,
                    fix="remove the line, or take another results folder; the images on it are evaluated again",
                ) from None
