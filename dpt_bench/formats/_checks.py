"""What every codec checks before it touches pixels: the magic, a sane size, as many bytes as the header promises."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpt_bench.core.errors import FormatError

MAX_PIXELS = 100_000_000
"""The largest picture in the supported datasets is ETH3D's, 24 megapixels; a header that asks for more than four times
that is a bomb or damage."""


def check_size(height: int, width: int, what: str, max_pixels: int = MAX_PIXELS) -> None:
    """Refuse an empty or absurd size before memory is reserved for it.

    Raises:
        FormatError: reason "too-large" above `max_pixels`, "corrupt-file" below one pixel.
    """
    if height < 1 or width < 1:
        raise FormatError(f"the {what} file's header says {width} x {height} pixels")
    if height * width > max_pixels:
        raise FormatError(
            f"the {what} file's header says {width} x {height} pixels, more than the {max_pixels:,} allowed",
            reason="too-large",
        )


def not_a(what: str, data: bytes) -> FormatError:
    """The error for bytes of another kind; says what they look like instead."""
    if not data:
        return FormatError(f"the file is empty, not a {what} file")
    start = bytes(data[:256]).lstrip().lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        return FormatError(f"not a {what} file but a web page: a download was refused or redirected")
    if start.startswith(b"version https://git-lfs"):
        return FormatError(f"not a {what} file but a Git LFS pointer: the content was never fetched")
    return FormatError(f"not a {what} file: it begins with {bytes(data[:12])!r}")


def view_numbers(
    data: bytes, dtype: str | np.dtype[Any], shape: tuple[int, ...], *, offset: int, what: str
) -> NDArray[Any]:
    """The numbers behind a header of `offset` bytes as a read-only view of `data`: `dtype`, `shape`, row by row.

    Raises:
        FormatError: there are fewer or more bytes than `shape` needs.
    """
    kind = np.dtype(dtype)
    needed = math.prod(shape) * kind.itemsize
    found = len(data) - offset
    if found != needed:
        problem = "truncated" if found < needed else "longer than its header says"
        raise FormatError(f"the {what} file is {problem}: {found:,} bytes of pixels where {shape} needs {needed:,}")
    return np.frombuffer(data, kind, offset=offset).reshape(shape)
