"""Per-image errors: read from results folders and counted into bins."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dpt_bench.render.histogram import Histogram, count
from dpt_bench.results import read_results

CellName = tuple[str, int, str, str | None, str, str]
"""suite, suite_version, model, checkpoint_sha256, dataset, metric"""

_COLUMNS = ["suite", "suite_version", "model", "checkpoint_sha256", "dataset", "metric"]
_MOST_BINS = 48


@dataclass(frozen=True)
class Distribution(Histogram):
    """Shape of one cell's per-image values, which need not be kept for it.

    counts: images in equal bins over [low, high]; the last bin also holds the `beyond` images above `high`,
    the 99th percentile, so that a few failures do not flatten the rest.
    """

    beyond: int
    median: float
    percentile_90: float


def read_distributions(folders: Iterable[Path]) -> dict[CellName, Distribution]:
    """The distribution of every cell with at least one scored image.

    Raises:
        UsageError, DataError: a folder holds no results, or damaged ones.
    """
    found: dict[CellName, Distribution] = {}
    for folder in folders:
        table = read_results(folder).select([*_COLUMNS, "value"])
        cells = table.filter(table["value"].is_valid()).group_by(_COLUMNS).aggregate([("value", "list")])
        names = zip(*(cells[column].to_pylist() for column in _COLUMNS), strict=True)
        for name, values in zip(names, cells["value_list"], strict=True):
            finite = values.values.to_numpy()
            finite = finite[np.isfinite(finite)]
            if finite.size:
                found[name] = describe(finite)
    return found


def describe(values: NDArray[np.float64]) -> Distribution:
    """Histogram and quantiles of (N,) finite values, N >= 1."""
    low = min(0.0, float(values.min()))
    high = float(np.quantile(values, 0.99))
    high = high if high > low else float(values.max())
    median, percentile_90 = np.quantile(values, [0.5, 0.9])
    bins = int(np.clip(np.sqrt(values.size), 8, _MOST_BINS))
    counts = count(values, low, high, bins).counts
    return Distribution(counts, low, high, int(np.count_nonzero(values > high)), float(median), float(percentile_90))
