"""The contract of a metric. A module of this package holds one `METRIC`; its file name is the metric's name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpt_bench.core.catalog import load_plugin
from dpt_bench.core.kinds import DepthKind

Values = NDArray[np.float64]
Order = NDArray[np.int8]


@dataclass(frozen=True)
class Metric:
    """A number for one image.

    unit: "fraction", "m", "log", ...; never percent.
    needs: the weakest kind of target for which the number means something; prediction and target come to the function
        as depth, or as disparity where `needs` is one.
    function(prediction, target): float64 (N,) arrays of an image's valid pixels, N >= 1, finite, target > 0 where it is
        depth; masking happens once, before, however many metrics there are. As a `PixelMean` it shares its pass over
        the pixels with the other metrics.
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


@dataclass(frozen=True)
class OrdinalMetric:
    """A number for the ordered point pairs of one image, where there are no maps to compare.

    The facts are those of `Metric`; `needs` is always ordinal.
    function(order, farther): int8 (N,), the sign of depth(A) - depth(B) in the prediction, 0 for a tie, and bool (N,),
        True where A is farther than B in the target; N >= 1.
    """

    title: str
    unit: str
    higher_is_better: bool
    citation: str
    function: Callable[[Order, NDArray[np.bool_]], float]
    needs: DepthKind = field(default=DepthKind.ORDINAL, init=False)

    def __call__(self, order: NDArray[Any], farther: NDArray[np.bool_]) -> float:
        """Score of one image: (N,) signs of depth(A) - depth(B), and bool (N,); NaN where there is no pair."""
        if not farther.size:
            return float("nan")
        return float(self.function(np.sign(order).astype(np.int8), farther))


AnyMetric = Metric | OrdinalMetric


def load_metric(name: str) -> AnyMetric:
    """The metric of this file name.

    Raises:
        UnknownNameError: no metric has the name.
    """
    metric: AnyMetric = load_plugin("dpt_bench.metrics", name, kind="metric").METRIC
    return metric
