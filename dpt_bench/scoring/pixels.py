"""Which pixels of a target a protocol scores."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dpt_bench.core.errors import SampleError
from dpt_bench.core.sample import DepthMap
from dpt_bench.core.suite import SuiteDataset


def scored_pixels(target: DepthMap, protocol: SuiteDataset) -> NDArray[np.bool_]:
    """Bool (H, W): valid, finite, inside the crop and the range (exclusive), hence positive but for affine targets.

    Sky has no finite number and is not scored. A cap says nothing about the target (MiDaS scores KITTI beyond 80 m).

    Raises:
        SampleError: the protocol's crop does not fit the target's size.
    """
    values = target.values
    if target.kind.is_affine:
        scored: NDArray[np.bool_] = target.valid & np.isfinite(values)
    else:
        low, high = protocol.target_range_m
        if target.kind.is_disparity:  # z in (low, high) is 1/z in (1/high, 1/low)
            low, high = 1 / high, (1 / low if low > 0 else float("inf"))
        scored = target.valid & (values > low) & (values < high)  # neither NaN nor infinity passes
    if protocol.crop != "none":
        rows, columns = crop_window(protocol.crop, *values.shape)
        inside = np.zeros_like(scored)
        inside[rows, columns] = True
        scored &= inside
    return scored


def crop_window(crop: str, height: int, width: int) -> tuple[slice, slice]:
    """Rows and columns that a crop keeps.

    "garg": Garg et al., ECCV 2016; "eigen": Eigen et al., NeurIPS 2014; both as fractions of a KITTI image of any size,
    cut to whole pixels; "nyu_eigen": rows 45 to 470, columns 41 to 600 of 480 x 640.

    Raises:
        SampleError: "nyu_eigen" of another size.
    """
    if crop == "nyu_eigen":
        if (height, width) != (480, 640):
            raise SampleError(
                "crop-mismatch", f"the Eigen crop of NYU is for 480 x 640 targets, got {height} x {width}"
            )
        return slice(45, 471), slice(41, 601)
    top, bottom = {"garg": (0.40810811, 0.99189189), "eigen": (0.3324324, 0.91351351)}[crop]
    left, right = {"garg": (0.03594771, 0.96405229), "eigen": (0.0359477, 0.96405229)}[crop]
    return slice(int(top * height), int(bottom * height)), slice(int(left * width), int(right * width))
