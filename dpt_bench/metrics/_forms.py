"""The formulas that several metrics share, over float64 (N,) prediction p and target t of one image's valid pixels."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from dpt_bench.metrics._contract import Values


def mean_relative_error(prediction: Values, target: Values) -> float:
    """1/N sum |p - t| / t."""
    error = np.subtract(prediction, target)
    np.abs(error, out=error)
    np.divide(error, target, out=error)
    return float(error.mean())


def root_mean_square(prediction: Values, target: Values) -> float:
    """sqrt(1/N sum (p - t)^2)."""
    error = np.subtract(prediction, target)
    return float(np.sqrt(np.dot(error, error) / error.size))


def log_ratio(prediction: Values, target: Values) -> Values:
    """Difference ln p - ln t; not finite where p is not positive, so that the image's score is not either."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(prediction) - np.log(target)


def share_within(limit: float) -> Callable[[Values, Values], float]:
    """Share of pixels with max(p/t, t/p) < limit."""
    return partial(_share_within, limit=limit)


def share_above(limit: float) -> Callable[[Values, Values], float]:
    """Share of pixels with max(p/t, t/p) > limit."""
    return partial(_share_above, limit=limit)


# As products, not ratios: a prediction that is zero or negative must count as wrong, and p/t of a negative p is small.
def _share_within(prediction: Values, target: Values, *, limit: float) -> float:
    within = (prediction < limit * target) & (target < limit * prediction)
    return np.count_nonzero(within) / within.size


def _share_above(prediction: Values, target: Values, *, limit: float) -> float:
    above = (prediction > limit * target) | (target > limit * prediction)
    return np.count_nonzero(above) / above.size
