"""Where flow comes from: files of any tool, OpenCV's DIS, which is always there, or RAFT where weights are given."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from dpt_bench.core.errors import FormatError
from dpt_bench.formats import flo, npy, npz
from dpt_bench.stereo.rules import Flow

Method = Literal["dis", "raft"]
Picture = NDArray[np.uint8]

DECODERS: dict[str, Callable[[bytes], NDArray[Any]]] = {"flo": flo.decode, "npy": npy.decode, "npz": npz.decode}
"""By a file's ending."""

UNKNOWN_PX = 1e9
"""From here on a number says that the flow is unknown (Baker et al., IJCV 2011, the format's reference code)."""


def decode_flow(data: bytes, ending: str) -> Flow:
    """Flow float32 (H, W, 2), (u, v) in pixels, NaN where unknown, from a file that ends in "flo", "npy" or "npz".

    Raises:
        FormatError: the file is damaged, or holds no (H, W, 2) array of floats.
    """
    stored = DECODERS[ending.lower()](data)
    if stored.ndim != 3 or stored.shape[2] != 2 or stored.dtype.kind != "f":
        raise FormatError(f"flow must be floats of shape (height, width, 2), got {stored.dtype} {stored.shape}")
    with np.errstate(over="ignore"):  # float64 beyond float32 is infinite, and so unknown
        flow = stored.astype(np.float32)
    flow[~(np.abs(flow) < UNKNOWN_PX).all(axis=2)] = np.nan
    return flow


def compute_flow(left: Picture, right: Picture, method: Method, weights: Path | None = None) -> tuple[Flow, Flow]:
    """Forward (left to right) and backward flow, float32 (H, W, 2), between two RGB pictures of one size.

    weights: a file of torchvision's RAFT, for "raft" alone.

    Raises:
        FormatError: the pictures differ in size, or are too small for the method.
        UsageError: the weights are no weights of RAFT.
    """
    if left.shape != right.shape:
        raise FormatError(f"the eyes differ in size: {left.shape} and {right.shape}", reason="shape-mismatch")
    if method == "raft":
        from dpt_bench.stereo import raft  # torch takes seconds to import, and most flow comes from files

        assert weights is not None, "RAFT needs weights"
        return raft.flow_between(left, right, weights)
    if min(left.shape[:2]) < SMALLEST_DIS:
        raise FormatError(f"a picture of {left.shape[:2]} is too small for DIS flow", reason="too-small")
    eyes = [cv2.cvtColor(eye, cv2.COLOR_RGB2GRAY) for eye in (left, right)]
    return _dis(eyes[0], eyes[1]), _dis(eyes[1], eyes[0])


SMALLEST_DIS = 32


def _dis(first: NDArray[Any], second: NDArray[Any]) -> Flow:
    """Kroeger et al., "Fast Optical Flow using Dense Inverse Search", ECCV 2016, in OpenCV's medium preset."""
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    flow: Flow = np.asarray(search.calc(first, second, np.zeros((*first.shape, 2), np.float32)), np.float32)
    return flow
