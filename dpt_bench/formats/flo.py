"""Optical flow as .flo (Baker et al., "A Database and Evaluation Methodology for Optical Flow", IJCV 2011)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dpt_bench.formats import _pieh


def decode(data: bytes) -> NDArray[np.float32]:
    """float32 (H, W, 2): u to the right and v down, in pixels; a read-only view of `data`.

    Raises:
        FormatError: wrong tag, absurd size, or not exactly the bytes that the size needs.
    """
    return _pieh.decode(data, channels=2, what="flo")


def encode(array: NDArray[np.float32]) -> bytes:
    """The bytes of a (H, W, 2) flow."""
    assert array.ndim == 3, f"flow is (H, W, 2), got {array.shape}"
    assert array.shape[2] == 2, f"flow is (H, W, 2), got {array.shape}"
    return _pieh.encode(array)
