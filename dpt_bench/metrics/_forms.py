"""The formulas that several metrics share, over float64 (N,) prediction p and target t of one image's valid pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from dpt_bench.metrics._contract import Values

_BLOCK = 1 << 15  # pixels whose intermediate numbers stay in the cache


def mean_relative_error(prediction: Values, target: Values) -> float:
    """1/N sum |p - t| / t."""
    total = 0.0
    for p, t in _blocks(prediction, target):
        error = np.subtract(p, t)
        np.abs(error, out=error)
        np.divide(error, t, out=error)
        total += float(error.sum())
    return total / prediction.size


def root_mean_square(prediction: Values, target: Values) -> float:
    """sqrt(1/N sum (p - t)^2)."""
    total = 0.0
    for p, t in _blocks(prediction, target):
        error = np.subtract(p, t)
        np.square(error, out=error)
        total += float(error.sum())
    return float(np.sqrt(total / prediction.size))


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
# What is not within counts as wrong, so that NaN does too.
def _share_within(prediction: Values, target: Values, *, limit: float) -> float:
    within = (np.count_nonzero((p < limit * t) & (t < limit * p)) for p, t in _blocks(prediction, target))
    return sum(within) / prediction.size


def _share_above(prediction: Values, target: Values, *, limit: float) -> float:
    within = (np.count_nonzero((p <= limit * t) & (t <= limit * p)) for p, t in _blocks(prediction, target))
    return (prediction.size - sum(within)) / prediction.size


def _blocks(prediction: Values, target: Values) -> Iterator[tuple[Values, Values]]:
    for start in range(0, prediction.size, _BLOCK):
        yield prediction[start : start + _BLOCK], target[start : start + _BLOCK]
