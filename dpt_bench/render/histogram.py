"""Histograms as inline SVG: counts in equal bins, drawn as a silhouette in a box of 320 x 72."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_WIDTH, _HEIGHT = 320.0, 72.0


@dataclass(frozen=True)
class Histogram:
    """counts: (bins,) numbers >= 0 in equal bins over [low, high]."""

    counts: NDArray[np.int64] | NDArray[np.float64]
    low: float
    high: float

    def position(self, value: float) -> float:
        """Where a value lies on the drawing, in its units, kept inside it."""
        span = self.high - self.low
        return float(np.clip((value - self.low) / span if span else 0.5, 0.0, 1.0)) * _WIDTH

    def outline(self) -> str:
        """SVG path of the silhouette, the axis at the bottom; the highest bin fills the box."""
        heights = _HEIGHT * (1 - self.counts / (float(self.counts.max()) or 1.0))
        steps = np.linspace(0.0, _WIDTH, self.counts.size + 1)
        path = [f"M0 {_HEIGHT:g}"]
        path += [f"V{top:.1f}H{right:.1f}" for top, right in zip(heights, steps[1:], strict=True)]
        return "".join(path) + f"V{_HEIGHT:g}Z"


def count(values: NDArray[np.float64], low: float, high: float, bins: int) -> Histogram:
    """Histogram of (N,) values over [low, high]; those outside are counted in the outermost bins.

    A range too narrow for so many bins becomes one of width 1.
    """
    distinct = bool((np.diff(np.linspace(low, high, bins + 1)) > 0).all())
    top = high if distinct else low + 1.0
    counts, _ = np.histogram(np.clip(values, low, top), bins=bins, range=(low, top))
    return Histogram(counts, low, top)
