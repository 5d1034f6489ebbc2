"""Headerless little-endian float32, row by row: ETH3D's ground truth, whose names end in .JPG (Schoeps et al. 2017)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dpt_bench.formats._checks import check_size, view_numbers


def decode(data: bytes, *, height: int, width: int) -> NDArray[np.float32]:
    """float32 (height, width), a read-only view of `data`. The size must come from the image; infinity stays infinity.

    Raises:
        FormatError: the number of bytes is not 4 * height * width.
    """
    check_size(height, width, "raw float32")
    return view_numbers(data, "<f4", (height, width), offset=0, what="raw float32")


def encode(array: NDArray[np.float32]) -> bytes:
    """The bytes of a (H, W) array."""
    assert array.ndim == 2, f"a raw float32 file holds (H, W), got {array.shape}"
    return np.ascontiguousarray(array, "<f4").tobytes()
