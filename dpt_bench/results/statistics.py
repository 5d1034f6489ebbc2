"""How sure a mean over images is: bootstrap intervals, paired differences, and the improvement column of the papers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.95
NUM_RESAMPLES = 2000
_CHUNK_DRAWS = 250_000  # at a time, which changes no number: they stay in the cache, however many images there are

Values = NDArray[np.float64]


class Interval(NamedTuple):
    """Bounds of a confidence interval; both NaN where fewer than two images leave it undefined."""

    low: float
    high: float


@dataclass(frozen=True)
class PairedDifference:
    """Mean of first - second over the images both were scored on; `resolved`: zero lies outside the interval."""

    mean: float
    interval: Interval
    n_images: int

    @property
    def resolved(self) -> bool:
        return self.interval.low > 0 or self.interval.high < 0


def bootstrap_interval(
    values: NDArray[np.floating], *, level: float = LEVEL, num_resamples: int = NUM_RESAMPLES, seed: int = 0
) -> Interval:
    """Percentile bootstrap interval of the mean (Efron and Tibshirani, 1993, ch. 13), images as the unit.

    Args:
        values: (N,) one number an image.
        level: share of resampled means inside the interval.
        num_resamples: resamples of N images with replacement.
        seed: the same values, in any order, and seed give the same interval.
    """
    wide = np.sort(np.asarray(values, dtype=np.float64))
    if wide.size < 2:
        return Interval(float("nan"), float("nan"))
    generator = np.random.default_rng(seed)
    rows = max(1, _CHUNK_DRAWS // wide.size)
    means = np.empty(num_resamples)
    for start in range(0, num_resamples, rows):
        stop = min(start + rows, num_resamples)
        drawn = generator.integers(0, wide.size, size=(stop - start, wide.size), dtype=np.int32)
        means[start:stop] = wide[drawn].mean(axis=1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high))


def paired_difference(
    first: Mapping[str, float],
    second: Mapping[str, float],
    *,
    level: float = LEVEL,
    num_resamples: int = NUM_RESAMPLES,
    seed: int = 0,
) -> PairedDifference:
    """Bootstrap of the per-image difference of two models, over the image keys that both have a score for."""
    keys = sorted(set(first) & set(second))
    difference = np.array([first[key] - second[key] for key in keys], dtype=np.float64)
    interval = bootstrap_interval(difference, level=level, num_resamples=num_resamples, seed=seed)
    mean = float(difference.mean()) if keys else float("nan")
    return PairedDifference(mean, interval, len(keys))


def improvement(errors: Mapping[str, float], reference: Mapping[str, float]) -> float:
    """Mean relative reduction of the error over datasets, 1 - 1/D sum_d error_d / reference_d, as a fraction.

    MiDaS v3.1 README ("Imp.", there in percent, against DPT-Large over six datasets).

    Raises:
        KeyError: `errors` lacks a dataset of the reference, so that the number would mean something else.
    """
    return 1.0 - float(np.mean([errors[dataset] / value for dataset, value in reference.items()]))
