"""The formulas that several metrics share, over float64 (N,) prediction p and target t of one image's valid pixels."""

from __future__ import annotations

import math

import cv2
import numpy as np

from dpt_bench.core.scratch import scratch
from dpt_bench.metrics._contract import Values
from dpt_bench.metrics._pixel_means import BLOCK, PixelMean, Pixels

_ONES = np.ones(BLOCK)


def _relative_error(block: Pixels) -> float:
    return cv2.norm(block.ratio, _ONES[: block.p.size], cv2.NORM_L1)


def _squared_error(block: Pixels) -> float:
    return cv2.norm(block.p, block.t, cv2.NORM_L2SQR)


mean_relative_error = PixelMean(_relative_error)
"""1/N sum |p - t| / t."""

root_mean_square = PixelMean(_squared_error, math.sqrt)
"""sqrt(1/N sum (p - t)^2)."""


def log_ratio(prediction: Values, target: Values) -> Values:
    """Difference ln p - ln t; not finite where p is not positive, so that the image's score is not either."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(prediction) - np.log(target)


def share_within(limit: float) -> PixelMean:
    """Share of pixels with max(p/t, t/p) < limit; a prediction that is zero, negative or NaN is not within."""
    return PixelMean(lambda block: _count_between(block, limit, np.less))


def share_above(limit: float) -> PixelMean:
    """Share of pixels with max(p/t, t/p) > limit, and of those whose prediction is zero, negative or NaN."""
    return PixelMean(lambda block: block.p.size - _count_between(block, limit, np.less_equal))


def _count_between(block: Pixels, limit: float, below: np.ufunc) -> int:
    within, other = (scratch(name, block.p.size, np.bool_) for name in ("within", "other"))
    below(block.ratio, limit, out=within)
    below(1 / limit, block.ratio, out=other)
    return int(np.count_nonzero(np.logical_and(within, other, out=within)))
