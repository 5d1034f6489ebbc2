"""Frames of videos by PyAV (the extra `video`), decoded one after another: seeking by frame number differs by build."""

from __future__ import annotations

import importlib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpt_bench.core.errors import FormatError, UsageError

MICROSECOND = 1e-6
"""ffmpeg, by whose seeking the lists of 3D Movies count, compares times in microseconds."""


def decode_frames(
    video: Path, wanted: Collection[int], *, start_s: float | None = None
) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """(number, RGB uint8 (H, W, 3)) of the wanted frames that the video has, ascending.

    Frames count from 0 at the video's first, or at the first whose time is `start_s` or later: a chapter's beginning,
    reached by decoding from the key frame before it.

    Raises:
        UsageError: PyAV is not installed, or the file is missing.
        FormatError: the file is no video, or is damaged before the last wanted frame.
    """
    av = _pyav()
    if not video.is_file():
        raise UsageError("the video was not found", where=video)
    numbers, last = frozenset(wanted), max(wanted, default=-1)
    try:
        with av.open(str(video)) as container:
            for number, frame in enumerate(_from(container, start_s)):
                if number > last:
                    return
                if number in numbers:
                    yield number, frame.to_ndarray(format="rgb24")
    except av.FFmpegError as error:
        raise FormatError(f"the video cannot be decoded: {error.strerror}", where=video) from error


def every_frame(video: Path, step: int = 1) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """(number, RGB uint8 (H, W, 3)) of every `step`-th frame, from the first on.

    Raises:
        UsageError, FormatError: as `decode_frames`.
    """
    av = _pyav()
    try:
        with av.open(str(video)) as container:
            for number, frame in enumerate(_from(container, None)):
                if number % step == 0:
                    yield number, frame.to_ndarray(format="rgb24")
    except av.FFmpegError as error:
        raise FormatError(f"the video cannot be decoded: {error.strerror}", where=video) from error


def chapters_s(video: Path) -> list[float]:
    """Where each chapter of the video begins, in seconds; [] where the file has no chapters.

    Raises:
        UsageError, FormatError: as `decode_frames`.
    """
    av = _pyav()
    try:
        with av.open(str(video)) as container:
            return [float(chapter["start"] * chapter["time_base"]) for chapter in container.chapters()]
    except av.FFmpegError as error:
        raise FormatError(f"the video cannot be opened: {error.strerror}", where=video) from error


def _from(container: Any, start_s: float | None) -> Iterator[Any]:
    if not container.streams.video:
        raise FormatError("the file has no video stream", where=container.name)
    stream = container.streams.video[0]
    stream.codec_context.thread_count = 1  # there is a process for each core already
    if start_s is None:
        yield from container.decode(stream)
        return
    container.seek(int(start_s / stream.time_base), stream=stream, backward=True)
    for frame in container.decode(stream):
        if frame.time is None or frame.time > start_s - MICROSECOND:
            yield frame


def _pyav() -> Any:
    try:
        return importlib.import_module("av")
    except ImportError:
        raise UsageError(
            "reading videos needs PyAV, which is not installed", fix="pip install 'dpt-bench[video]'"
        ) from None
