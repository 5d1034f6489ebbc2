"""Stored numbers to DepthMaps by the facts of a recipe."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpt_bench.core.kinds import DepthKind
from dpt_bench.core.recipe import Recipe, TargetFacts
from dpt_bench.core.sample import Camera, DepthMap

SAME_ASPECT = 0.01
CENTRE_TOLERANCE = 0.1
"""Share of the side by which a principal point may miss the centre of the image that it belongs to."""
_NAN_BITS = np.float32(np.nan).view(np.uint32)
"""Any number is NaN once these bits are set: all of the exponent, and the one that makes it quiet (IEEE 754)."""


def depth_map(
    stored: NDArray[Any],
    facts: TargetFacts,
    *,
    offset: float = 0.0,
    mask: NDArray[np.bool_] | None = None,
    sky: NDArray[np.bool_] | None = None,
) -> DepthMap:
    """Offset + scale * stored, float32 (H, W); NaN where invalid, and at the sky, whose stored number means nothing.

    Invalid is: not finite; a stored number that `facts.invalid` lists; False in `mask`; a value outside
    `facts.valid_range` (inclusive, in the unit of the kind); a value <= 0, unless the kind has an unknown shift.
    Sky pixels are valid in spite of all that, unless the sky policy is "invalid".
    """
    assert isinstance(facts.kind, DepthKind), "labels are no depth"
    values = stored.astype(np.float32)
    if facts.scale != 1.0:
        values *= np.float32(facts.scale)
    if offset:
        values += np.float32(offset)
    valid = np.isfinite(values)
    if not facts.kind.is_affine:
        valid &= values > 0
    for marker in facts.invalid:
        valid &= stored != marker
    if facts.valid_range is not None:
        valid &= (values >= facts.valid_range[0]) & (values <= facts.valid_range[1])
    if mask is not None:
        valid &= mask
    unknown = ~valid
    if sky is not None:
        unknown |= sky
        valid = valid & ~sky if facts.sky_policy == "invalid" else valid | sky
    values.view(np.uint32)[...] |= unknown * _NAN_BITS  # where a mask is speckled, `copyto` takes five times as long
    return DepthMap(values, facts.kind, valid, sky)


def fit_nearest(array: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    """The array (h, w) at another size of the same aspect, each pixel from the nearest one: nothing is mixed.

    Returned as it is where the aspects differ by more than 1 %, which is another picture rather than another size.
    """
    rows, columns = array.shape[:2]
    if abs(rows * width / (columns * height) - 1) > SAME_ASPECT:
        return array
    at_row = (np.arange(height) + 0.5) * rows / height
    at_column = (np.arange(width) + 0.5) * columns / width
    fitted: NDArray[Any] = array[at_row.astype(np.intp)[:, None], at_column.astype(np.intp)[None, :]]
    return fitted


def camera_for(recipe: Recipe, height: int, width: int) -> Camera | None:
    """The recipe's camera, or None where the image is not of the size that the intrinsics belong to."""
    facts = recipe.camera
    if facts is None:
        return None
    centred = (
        abs(facts.cx - width / 2) <= CENTRE_TOLERANCE * width
        and abs(facts.cy - height / 2) <= CENTRE_TOLERANCE * height
    )
    return facts.camera() if centred else None
