"""The layout that Sintel's depth and Middlebury's flow share: the tag 202021.25, int32 width and height, float32."""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from dpt_bench.core.errors import FormatError
from dpt_bench.formats._checks import check_size, not_a, view_numbers

TAG = b"PIEH"  # 202021.25 as little-endian float32, a sanity check of byte order
HEADER_BYTES = 12


def decode(data: bytes, *, channels: int, what: str) -> NDArray[np.float32]:
    """float32 (H, W, channels), a read-only view of `data`.

    Raises:
        FormatError: wrong tag, absurd size, or not exactly the bytes that the size needs.
    """
    if data[:4] != TAG:
        raise not_a(what, data)
    if len(data) < HEADER_BYTES:
        raise FormatError(f"the {what} file is truncated within its header")
    width, height = struct.unpack_from("<ii", data, 4)
    check_size(height, width, what)
    return view_numbers(data, "<f4", (height, width, channels), offset=HEADER_BYTES, what=what)


def encode(array: NDArray[np.float32]) -> bytes:
    """The bytes of a (H, W) or (H, W, channels) array."""
    height, width = array.shape[:2]
    pixels = np.ascontiguousarray(array, "<f4")
    return b"".join((TAG, struct.pack("<ii", width, height), pixels.data))
