"""Which pixels of a target a protocol scores."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dpt_bench.core.errors import SampleError
from dpt_bench.core.kinds import DepthKind
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
        scored = values > low
        scored &= target.valid
        scored &= np.less(values, high)  # neither NaN nor infinity passes
    if protocol.target_max_ratio is not None and not target.kind.is_affine and scored.any():
        scored &= _not_too_far(values, scored, protocol.target_max_ratio, target.kind)
    cropped_before = protocol.crop_frame == "whole" and protocol.input_crop != "none"
    if protocol.crop != "none" and not cropped_before:
        scored &= inside_crop(protocol.crop, values.shape[0], values.shape[1])
    return scored


def inside_crop(crop: str, height: int, width: int) -> NDArray[np.bool_]:
    """Bool (H, W): True where the crop keeps a pixel.

    Raises:
        SampleError: the crop does not fit the size.
    """
    inside = np.ones((height, width), dtype=np.bool_)
    if crop != "none":
        rows, columns = crop_window(crop, height, width)
        inside[:] = False
        inside[rows, columns] = True
    return inside


def input_window(crop: str, height: int, width: int) -> tuple[slice, slice]:
    """Rows and columns of an image that exist for the network.

    "kitti_benchmark": 352 x 1216 pixels, at the bottom and centred, as the KITTI depth benchmark's own images;
    "kitti_benchmark_scaled": what that is of 375 x 1242 pixels, of an image of any size.

    Raises:
        SampleError: the image is smaller.
    """
    if crop == "none":
        return slice(0, height), slice(0, width)
    rows, columns = (352, 1216) if crop == "kitti_benchmark" else (height * 352 // 375, width * 1216 // 1242)
    if height < rows or width < columns:
        raise SampleError("crop-mismatch", f"KITTI's benchmark crop is 352 x 1216, the image {height} x {width}")
    left = (width - columns) // 2
    return slice(height - rows, height), slice(left, left + columns)


def fit_places(pixels: NDArray[np.intp], size: tuple[int, int], max_side: int) -> NDArray[np.bool_]:
    """Which of the flat places a fit sees: those that a nearest reduction of the longer side to `max_side` would pick.

    As torch's nn.Upsample(scale_factor, mode="nearest"), with which Marigold reduces (src/util/alignment.py).
    """
    step = max(size) / max_side
    if step <= 1:
        return np.ones(pixels.shape, dtype=np.bool_)
    picked = [np.zeros(side, dtype=np.bool_) for side in size]
    for mask in picked:
        mask[(np.arange(int(mask.size / step)) * step).astype(np.intp)] = True
    rows, columns = np.divmod(pixels, size[1])
    return picked[0][rows] & picked[1][columns]


def crop_window(crop: str, height: int, width: int) -> tuple[slice, slice]:
    """Rows and columns that a crop keeps.

    "garg": Garg et al., ECCV 2016; "eigen": Eigen et al., NeurIPS 2014; both as fractions of a KITTI image of any size,
    cut to whole pixels; "nyu_eigen": rows 45 to 470, columns 41 to 600 of 480 x 640; "nyu_eigen_scaled": the same share
    of any size.

    Raises:
        SampleError: "nyu_eigen" of another size.
    """
    if crop == "nyu_eigen" and (height, width) != (480, 640):
        raise SampleError("crop-mismatch", f"the Eigen crop of NYU is for 480 x 640 targets, got {height} x {width}")
    if crop.startswith("nyu_eigen"):
        return slice(45 * height // 480, 471 * height // 480), slice(41 * width // 640, 601 * width // 640)
    top, bottom = {"garg": (0.40810811, 0.99189189), "eigen": (0.3324324, 0.91351351)}[crop]
    left, right = {"garg": (0.03594771, 0.96405229), "eigen": (0.0359477, 0.96405229)}[crop]
    return slice(int(top * height), int(bottom * height)), slice(int(left * width), int(right * width))


def _not_too_far(
    values: NDArray[np.floating], scored: NDArray[np.bool_], ratio: float, kind: DepthKind
) -> NDArray[np.bool_]:
    near_percentile = float(np.quantile(values[scored], 0.99 if kind.is_disparity else 0.01))
    limit = near_percentile / ratio if kind.is_disparity else near_percentile * ratio
    return values >= limit if kind.is_disparity else values <= limit
