"""Flow between the two eyes -> disparity, and the left-right check that tells which pixels have one."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from dpt_bench.core.errors import SampleError
from dpt_bench.stereo.rules import Flow, Rules, check_flow


def to_disparity(forward: Flow, backward: Flow, rules: Rules) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Disparity float32 (H, W) in pixels, larger is nearer, and bool (H, W) where the eyes agree to `consistent_px`.

    forward: left to right, float32 (H, W, 2), on the left grid; backward: right to left, on the right grid. Disparity
    is minus the horizontal forward flow; its zero is the plane of the screen, so both signs occur (Ranftl et al., TPAMI
    2022, section 4).

    Raises:
        SampleError: the two differ in shape, or as `check_flow`.
    """
    if forward.shape != backward.shape:
        raise SampleError("shape-mismatch", f"forward flow is {forward.shape}, backward flow is {backward.shape}")
    scaled = rules.at_width(forward.shape[1])
    difference = left_right_difference(forward, backward)
    check_flow(forward, backward, difference, scaled)
    return -forward[..., 0], difference <= scaled.consistent_px


def left_right_difference(forward: Flow, backward: Flow) -> NDArray[np.float32]:
    """|u(x) + u'(x + u(x))|, float32 (H, W) in pixels: how far off a pixel lands that goes to the other eye and back.

    u is the horizontal forward flow, u' the backward one, read bilinearly and repeated beyond the border; rows are not
    displaced. So it is in 3DVideos2Stereo, which calls it uncertainty. NaN where a flow is unknown.
    """
    across = np.ascontiguousarray(forward[..., 0])
    height, width = across.shape
    # clipping is what repeating the border means, and keeps NaN and absurd flow out of OpenCV's integers
    columns = np.nan_to_num(np.clip(np.arange(width, dtype=np.float32) + across, 0, width - 1), copy=False)
    rows = np.broadcast_to(np.arange(height, dtype=np.float32)[:, None], across.shape)
    back = cv2.remap(
        np.ascontiguousarray(backward[..., 0]),
        columns,
        np.ascontiguousarray(rows),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    difference: NDArray[np.float32] = np.abs(across + back)
    return difference
