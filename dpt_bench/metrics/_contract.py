"""The contract of a metric. A module of this package holds one `METRIC`; its file name is the metric's name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpt_bench.core.catalog import load_plugin
from dpt_bench.core.kinds import DepthKind

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Metric:
    """A number for one image.

    unit: "fraction", "m", "1/m", ...; never percent. needs: the kind in which prediction and target are compared.
    function(prediction, target, valid): float64 arrays of one shape, and a bool mask; scores the valid pixels only.
    """

    title: str
    unit: str
    higher_is_better: bool
    needs: DepthKind
    citation: str
    function: Callable[[Values, Values, NDArray[np.bool_]], float]

    def __call__(self, prediction: NDArray[Any], target: NDArray[Any], valid: NDArray[np.bool_]) -> float:
        """Score of one image; NaN where `valid` is empty."""
        if not valid.any():
            return float("nan")
        return float(self.function(np.asarray(prediction, np.float64), np.asarray(target, np.float64), valid))


def load_metric(name: str) -> Metric:
    """The metric of this file name.

    Raises:
        UnknownNameError: no metric has the name.
    """
    metric: Metric = load_plugin("dpt_bench.metrics", name, kind="metric").METRIC
    return metric
