"""The resize rules of suites and predictors, predictions brought to the size of a target, and target-safe reduction."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Literal, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from dpt_bench.core.errors import UsageError
from dpt_bench.core.suite import ResizeRule

Number = TypeVar("Number", bound=np.generic)
Size = tuple[int, int]

_INTERPOLATIONS = {"linear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC, "area": cv2.INTER_AREA}
_BICUBIC_A = -0.75


def network_size(height: int, width: int, rule: ResizeRule) -> Size:
    """(height, width) a network sees of an image, by a suite's or predictor's rule; no side is ever 0.

    "longer" / "shorter": that side becomes `size`, the other the multiple of `multiple_of` nearest in aspect (zero-shot
    protocol of Ranftl et al., TPAMI 2022: longer side 384, on KITTI the shorter one). "exact": size x size; "native":
    each side to its nearest multiple; "minimal", "upper_bound", "lower_bound": see `midas_size`.
    """
    multiple = rule.multiple_of
    if rule.side == "native":
        return _nearest_multiple(height, multiple), _nearest_multiple(width, multiple)
    if rule.side == "exact":
        side = _nearest_multiple(rule.size, multiple)
        return side, side
    if rule.side in ("minimal", "upper_bound", "lower_bound"):
        return midas_size((height, width), (rule.size, rule.size), rule.side, multiple)
    if (height >= width) == (rule.side == "longer"):
        return rule.size, _nearest_multiple(width * rule.size / height, multiple)
    return _nearest_multiple(height * rule.size / width, multiple), rule.size


def midas_size(
    size: Size, wanted: Size, method: Literal["minimal", "upper_bound", "lower_bound"], multiple: int = 32
) -> Size:
    """The aspect-keeping rules of MiDaS (isl-org/MiDaS midas/transforms.py), sizes as (height, width).

    One scale serves both sides: for "minimal" the one nearer to 1 (a tie goes to the height), for "upper_bound" the
    smaller, for "lower_bound" the larger. Sides are rounded half to even; a bound cuts or lifts those that cross it.
    """
    scales = [goal / side for goal, side in zip(wanted, size, strict=True)]
    if method == "minimal":
        scale = scales[1] if abs(1 - scales[1]) < abs(1 - scales[0]) else scales[0]
    else:
        scale = min(scales) if method == "upper_bound" else max(scales)
    height, width = (_bounded(side * scale, goal, method, multiple) for side, goal in zip(size, wanted, strict=True))
    return height, width


def resize_shorter_side(height: int, width: int, shorter: int) -> Size:
    """(height, width) with the shorter side brought down to `shorter` and the aspect kept; never enlarges."""
    side = min(height, width)
    if side <= shorter:
        return height, width
    return round(height * shorter / side), round(width * shorter / side)


def resize_image(
    image: NDArray[Number], size: Size, interpolation: Literal["nearest", "linear", "cubic", "area"]
) -> NDArray[Number]:
    """An image (H, W) or (H, W, C), uint8, uint16 or float, at `size` (height, width); the dtype is kept.

    Only "area" averages when it reduces. An image that has the size already is returned as it is.
    """
    if image.shape[:2] == size:
        return image
    return _at_centres(image, size) if interpolation == "nearest" else _by_cv2(image, size, interpolation)


def resize_prediction(
    values: NDArray[np.floating],
    size: Size,
    method: Literal["bilinear", "bicubic", "nearest"],
    *,
    out: NDArray[Any] | None = None,
) -> NDArray[np.float32] | NDArray[np.float64]:
    """A prediction (h, w) at the target's `size` (H, W): float64 stays float64, all else becomes float32.

    bilinear and bicubic (a = -0.75) sample at pixel centres as torch's `F.interpolate(align_corners=False,
    antialias=False)` does; nearest is its "nearest-exact". out: memory of the result's size and dtype that may be used.
    """
    numbers: NDArray[Any] = np.asarray(values, np.float64 if values.dtype == np.float64 else np.float32)
    if numbers.shape == size:
        return numbers
    if method == "nearest":
        return _at_centres(numbers, size)
    if method == "bicubic" and numbers.dtype == np.float64:
        return np.ascontiguousarray(_bicubic(_bicubic(numbers, size[0]).T, size[1]).T)
    return _by_cv2(numbers, size, "linear" if method == "bilinear" else "cubic", out)


def enlarged_rows(values: NDArray[np.float64], size: Size, first: int, last: int) -> NDArray[np.float64]:
    """Rows `first` to `last` (exclusive) of `resize_prediction(values, size, "bilinear")`, without the other rows."""
    height, width = size
    rows, next_rows, down = _neighbours(np.arange(first, last, dtype=np.float64), height, values.shape[0])
    between = _between(values[rows], values[next_rows], down[:, None])
    if values.shape[1] == width:
        return between
    if len(between) == 1:  # OpenCV has float32 weights for a single row
        return _by_cv2(np.repeat(between, 2, axis=0), (2, width), "linear")[:1]
    return _by_cv2(between, (len(between), width), "linear")


def sample_prediction(values: NDArray[np.floating], size: Size, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """A prediction (h, w) at points (..., 2) as (x, y) in 0-based pixels of an image of `size` (H, W): float64 (...).

    What `resize_prediction(values, size, "bilinear")` holds at whole pixels, without the map, and between them. Equal
    neighbours give exactly their number, so that a flat prediction is a tie.
    """
    (rows, next_rows, down), (columns, next_columns, right) = (
        _neighbours(points[..., 1 - axis], size[axis], values.shape[axis]) for axis in (0, 1)
    )
    upper = _between(values[rows, columns], values[rows, next_columns], right)
    lower = _between(values[next_rows, columns], values[next_rows, next_columns], right)
    return _between(upper, lower, down)


def pick_pixels(array: NDArray[Number], size: Size) -> NDArray[Number]:
    """A target or mask (H, W, ...) reduced to `size` by taking the source pixel at each output pixel's centre.

    Values are never mixed, so no depth appears between a thing and its background, and no invalid pixel leaks.

    Raises:
        UsageError: `size` is larger than the array in either direction.
    """
    if not all(1 <= goal <= side for side, goal in zip(array.shape[:2], size, strict=True)):
        raise UsageError(
            f"a target of {array.shape[:2]} cannot be brought to {size} (height, width)",
            fix="targets are only ever reduced: choose a size that is not larger, or resize the prediction instead",
        )
    return array if array.shape[:2] == size else _at_centres(array, size)


def _at_centres(array: NDArray[Number], size: Size) -> NDArray[Number]:
    height, width, *rest = array.shape
    picked: NDArray[Number] = array.reshape(height * width, *rest).take(_centres((height, width), size), axis=0)
    return picked


@lru_cache(maxsize=8)  # the frames of a video or of a camera share theirs
def _centres(shape: Size, size: Size) -> NDArray[np.intp]:
    """Where in a flat array of `shape` the pixels at the centres of `size` lie: intp of `size`."""
    # floor((i + 0.5) * side / goal) in integers: OpenCV's own nearest and nearest-exact miss some centres by one pixel
    rows, columns = ((2 * np.arange(goal) + 1) * side // (2 * goal) for side, goal in zip(shape, size, strict=True))
    places: NDArray[np.intp] = rows[:, None] * shape[1] + columns
    places.flags.writeable = False
    return places


def _neighbours(
    place: NDArray[np.float64], goal: int, side: int
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """The two sources of places along an axis of `goal` pixels, out of `side`, and the weight of the second one."""
    source = np.clip((place + 0.5) * (side / goal) - 0.5, 0, side - 1)
    first = source.astype(np.intp)
    weight = source - first
    return first, first + (weight > 0), weight  # a neighbour without weight may hold NaN


def _between(
    first: NDArray[np.floating], second: NDArray[np.floating], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    wide = first.astype(np.float64)
    with np.errstate(invalid="ignore"):
        mixed: NDArray[np.float64] = wide + weight * (second - wide)
    return mixed


def _nearest_multiple(length: float, multiple: int) -> int:
    return max(1, round(length / multiple)) * multiple


def _bounded(length: float, goal: int, method: str, multiple: int) -> int:
    side = round(length / multiple) * multiple
    if method == "upper_bound" and side > goal:
        side = int(length // multiple) * multiple
    elif method == "lower_bound" and side < goal:
        side = int(-(-length // multiple)) * multiple
    return max(side, multiple)


def _by_cv2(array: NDArray[Any], size: Size, interpolation: str, out: NDArray[Any] | None = None) -> NDArray[Any]:
    return cv2.resize(array, size[::-1], dst=out, interpolation=_INTERPOLATIONS[interpolation])


def _bicubic(values: NDArray[np.float64], goal: int) -> NDArray[np.float64]:
    """Rows resampled to `goal`; OpenCV keeps the weights of this case in float32, which is not exact enough."""
    place = (np.arange(goal) + 0.5) * (len(values) / goal) - 0.5
    first = np.floor(place)
    offset = place - first
    resampled = np.zeros((goal, *values.shape[1:]))
    for tap in (-1, 0, 1, 2):
        rows = np.clip(first + tap, 0, len(values) - 1).astype(np.intp)
        resampled += _keys_kernel(np.abs(offset - tap))[:, None] * values[rows]
    return resampled


def _keys_kernel(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cubic convolution (Keys, "Cubic Convolution Interpolation for Digital Image Processing", 1981)."""
    a, d = _BICUBIC_A, distance
    near = ((a + 2) * d - (a + 3)) * d * d + 1
    far = ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
    return np.where(d <= 1, near, far)
