"""Portable float maps, as BlendedMVS, Middlebury and SceneFlow store depth and disparity.

The sign of the header's scale gives the byte order; its magnitude is ignored, as all those datasets expect (Middlebury
writes 0.003922 beside plain pixels). Rows run from the bottom up.
"""

from __future__ import annotations

import math
import re

import numpy as np
from numpy.typing import NDArray

from dpt_bench.core.errors import FormatError
from dpt_bench.formats._checks import check_size, not_a, view_numbers

# SceneFlow's header lines end in a blank; exactly one newline may follow the scale, for pixels begin there.
_HEADER = re.compile(rb"P([Ff])\s+(\d{1,9})\s+(\d{1,9})\s+(\S{1,32})[ \t\r]*\n")
_LONGEST_HEADER = 256


def decode(data: bytes) -> NDArray[np.float32]:
    """float32 (H, W), or (H, W, 3) in the order stored (RGB) for a colour file; the first row is the top one.

    Raises:
        FormatError: no PFM header, absurd size, or not exactly the bytes that the size needs.
    """
    if data[:2] not in (b"Pf", b"PF"):
        raise not_a("PFM", data)
    header = _HEADER.match(data, 0, _LONGEST_HEADER)
    if header is None:
        raise FormatError(f"the PFM file's header is damaged: {bytes(data[:48])!r}")
    width, height = int(header[2]), int(header[3])
    check_size(height, width, "PFM")
    dtype = "<f4" if _scale(header[4]) < 0 else ">f4"
    shape = (height, width, 3) if header[1] == b"F" else (height, width)
    bottom_up = view_numbers(data, dtype, shape, offset=header.end(), what="PFM")
    return np.ascontiguousarray(bottom_up[::-1], np.float32)


def encode(array: NDArray[np.float32], *, little_endian: bool = True, scale: float = 1.0) -> bytes:
    """The bytes of a (H, W) or (H, W, 3) array. `scale` is written and changes no pixel."""
    assert scale > 0, "the sign of a PFM's scale is its byte order"
    assert array.ndim == 2 or (array.ndim == 3 and array.shape[2] == 3), f"PFM holds (H, W) or (H, W, 3): {array.shape}"
    height, width = array.shape[:2]
    header = f"P{'f' if array.ndim == 2 else 'F'}\n{width} {height}\n{-scale if little_endian else scale}\n"
    pixels = np.ascontiguousarray(array[::-1], "<f4" if little_endian else ">f4")
    return b"".join((header.encode(), pixels.data))


def _scale(text: bytes) -> float:
    try:
        scale = float(text)
    except ValueError:
        scale = 0.0
    if scale == 0 or not math.isfinite(scale):
        raise FormatError(f"the PFM file's scale {text!r} has no sign to tell the byte order")
    return scale
