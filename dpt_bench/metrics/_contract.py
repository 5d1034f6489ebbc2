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

    unit: "fraction", "m", "log", ...; never percent.
    needs: the weakest kind of target for which the number means something; prediction and target come to the function
        as depth, or as disparity where `needs` is one.
    function(prediction, target): float64 (N,) arrays of an image's valid pixels, N >= 1, finite, target > 0 where it is
        depth; masking happens once, before, however many metrics there are.
    """

    title: str
    unit: str
    higher_is_better: bool
    needs: DepthKind
    citation: str
    function: Callable[[Values, Values], float]

    def __call__(self, prediction: NDArray[Any], target: NDArray[Any], valid: NDArray[np.bool_]) -> float:
        """Score of one image: arrays of one shape and a bool mask; NaN where `valid` is empty."""
        if not valid.any():
            return float("nan")
        return float(self.function(prediction[valid].astype(np.float64), target[valid].astype(np.float64)))


def load_metric(name: str) -> Metric:
    """The metric of this file name.

    Raises:
        UnknownNameError: no metric has the name.
    """
    metric: Metric = load_plugin("dpt_bench.metrics", name, kind="metric").METRIC
    return metric
