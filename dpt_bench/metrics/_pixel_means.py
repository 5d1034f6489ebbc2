"""Metrics that are means over pixels, taken in one pass.

All of an image's metrics are taken block by block together, while the block's numbers lie in the cache; what several of
them need is computed once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from dpt_bench.core.scratch import scratch
from dpt_bench.metrics._contract import Values

BLOCK = 1 << 14
"""Pixels of a block at most."""


@dataclass
class Pixels:
    """A block of an image's pixels: p and t, and their ratio once it is asked for."""

    p: Values
    t: Values
    _ratio: Values | None = None

    @property
    def ratio(self) -> Values:
        """What p is of t."""
        if self._ratio is None:
            self._ratio = np.divide(self.p, self.t, out=scratch("ratio", self.p.size))
        return self._ratio


@dataclass(frozen=True)
class PixelMean:
    """A metric that is `finish` of the mean of one number a pixel; `total` is that number's sum over a block."""

    total: Callable[[Pixels], float]
    finish: Callable[[float], float] = float

    def __call__(self, prediction: Values, target: Values) -> float:
        return pixel_means({"": self}, prediction, target)[""]


def pixel_means(
    metrics: Mapping[str, PixelMean],
    prediction: Values,
    target: Values,
    prepare: Callable[[Values], object] | None = None,
) -> dict[str, float]:
    """Every metric by its name, in one pass over the pixels; `prepare` changes each block of the prediction before."""
    totals = dict.fromkeys(metrics, 0.0)
    for block in _blocks(prediction, target):
        if prepare is not None:
            prepare(block.p)
        for name, metric in metrics.items():
            totals[name] += metric.total(block)
    return {name: metric.finish(totals[name] / prediction.size) for name, metric in metrics.items()}


def _blocks(prediction: Values, target: Values) -> Iterator[Pixels]:
    for start in range(0, prediction.size, BLOCK):
        yield Pixels(prediction[start : start + BLOCK], target[start : start + BLOCK])
