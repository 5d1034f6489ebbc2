"""The `midas` protocol a second time, in plain numpy and without a line of the package: what its numbers are checked by.

Ranftl et al., TPAMI 2022, zero-shot protocol: prediction (disparity) bilinearly to the target's size, scale and shift by
least squares against 1/z on valid pixels, disparity floored at 1/cap, depth, then the mean over the same pixels.
"""

from __future__ import annotations

import numpy as np


def midas_scores(prediction, depth_m, valid, *, cap_m, farthest_m=np.inf):
    """{"absrel", "delta_above_1_25", "rmse"} of one image, None where it has no valid pixel."""
    mask = valid & np.isfinite(depth_m) & (depth_m > 0) & (depth_m < farthest_m)
    if not mask.any():
        return None
    disparity = bilinear(np.asarray(prediction, dtype=np.float64), depth_m.shape)
    z = depth_m.astype(np.float64)[mask]
    columns = np.stack([disparity[mask], np.ones(z.size)], axis=1)
    centre, spread = columns[:, 0].mean(), np.abs(columns[:, 0] - columns[:, 0].mean()).max() or 1.0
    columns[:, 0] = (columns[:, 0] - centre) / spread  # well-conditioned columns; the fitted values are the same
    solution = np.linalg.lstsq(columns, 1 / z, rcond=None)[0]
    aligned = columns @ solution
    aligned[aligned < 1 / cap_m] = 1 / cap_m
    depth = 1 / aligned
    return {
        "absrel": np.mean(np.abs(depth - z) / z),
        "delta_above_1_25": np.mean(np.maximum(depth / z, z / depth) > 1.25),
        "rmse": np.sqrt(np.mean((depth - z) ** 2)),
    }


def bilinear(values, shape):
    """Half-pixel centres, edges held: torch's F.interpolate(mode="bilinear", align_corners=False)."""
    for axis in (0, 1):
        size, goal = values.shape[axis], shape[axis]
        place = np.clip((np.arange(goal) + 0.5) * size / goal - 0.5, 0, size - 1)
        low = np.floor(place).astype(int)
        high = np.minimum(low + 1, size - 1)
        weight = (place - low).reshape((-1, 1) if axis == 0 else (1, -1))
        values = np.take(values, low, axis) * (1 - weight) + np.take(values, high, axis) * weight
    return values
