"""Sintel's .dpt depth files (Butler et al., "A Naturalistic Open Source Movie for Optical Flow Evaluation", 2012)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dpt_bench.formats import _pieh


def decode(data: bytes) -> NDArray[np.float32]:
    """float32 (H, W) in metres, a read-only view of `data`; the sky is a very large number.

    Raises:
        FormatError: wrong tag, absurd size, or not exactly the bytes that the size needs.
    """
    return _pieh.decode(data, channels=1, what="Sintel .dpt")[..., 0]


def encode(array: NDArray[np.float32]) -> bytes:
    """The bytes of a (H, W) depth map."""
    assert array.ndim == 2, f"depth is (H, W), got {array.shape}"
    return _pieh.encode(array)
