"""Metrics that are means over pixels, taken in one pass.

All of an image's metrics are taken block by block together, while the block's numbers lie in the cache; what several of
them need is computed once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from dpt_bench.core.parallel import in_order, threads_for
from dpt_bench.core.scratch import scratch
from dpt_bench.metrics._contract import Values

BLOCK = 1 << 15
"""Pixels of a block at most."""


@dataclass
class Pixels:
    """A block of an image's pixels: p and t, perhaps 1 / t, and the ratio of p and t once it is asked for."""

    p: Values
    t: Values
    turned_t: Values | None = None
    _ratio: Values | None = None

    @property
    def ratio(self) -> Values:
        """What p is of t."""
        if self._ratio is None:
            out = scratch("ratio", self.p.size)
            if self.turned_t is None:
                self._ratio = np.divide(self.p, self.t, out=out)
            else:  # twice as fast
                self._ratio = np.multiply(self.p, self.turned_t, out=out)
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
    *,
    turned_target: Values | None = None,
    prepare: Callable[[Values], object] | None = None,
) -> dict[str, float]:
    """Every metric by its name, in one pass over the pixels.

    turned_target: 1 / target, where it is known. prepare: changes each block of the prediction before.
    """

    def totals(start: int) -> list[float]:
        part = slice(start, start + BLOCK)
        block = Pixels(prediction[part], target[part], None if turned_target is None else turned_target[part])
        if prepare is not None:
            prepare(block.p)
        return [metric.total(block) for metric in metrics.values()]

    size = prediction.size
    blocks = in_order(totals, range(0, size, BLOCK), threads_for(size))
    means = [sum(of_blocks) / size for of_blocks in zip(*blocks, strict=True)]
    return {name: metric.finish(mean) for (name, metric), mean in zip(metrics.items(), means, strict=True)}
