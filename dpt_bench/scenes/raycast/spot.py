"""What a pattern knows of a pixel: where on its face it is, and how much of it the pixel covers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dpt_bench.scenes.raycast.noise import Float, smooth_noise

Reals = NDArray[np.floating]
Weights = tuple[Reals | float, Reals | float, Reals | float]
"""Share of the second colour, share of the third over both, and a factor on the result."""


@dataclass(frozen=True)
class Spot:
    """Where pixels are on their faces, all float32 (N,), metres; v runs upwards from the face's lower edge.

    width, height: extent of the face. period_u, period_v: the material's size. footprint: width of the pixel on the
    surface, by which patterns finer than that fade into their mean. seed: int32 (N,).
    """

    u: Float
    v: Float
    width: Float
    height: Float
    period_u: Float
    period_v: Float
    footprint: Float
    seed: NDArray[np.int32]

    def detail(self, size: Reals | float) -> Float:
        """1 where a feature of this size is well resolved, 0 where it is not."""
        sharpness: Float = np.clip(size / self.footprint * 0.4 - 0.4, 0, 1).astype(np.float32)
        return sharpness

    def noise(self, bump: Float | float) -> Float:
        """Smooth noise, different for every seed, fading to 0.5 where it is not resolved."""
        raw = smooth_noise(self.u + self.shift(3.7), self.v, bump)
        return 0.5 + (raw - 0.5) * self.detail(bump)

    def shift(self, step_m: float) -> Float:
        """A displacement by the seed, so that equal patterns look different."""
        return self.seed.astype(np.float32) * np.float32(step_m)


def cells(position: Reals, period: Reals | float) -> tuple[NDArray[np.int32], Float]:
    """Number of the cell of length `period` that a position falls in, and the fraction within it."""
    scaled = (position / period).astype(np.float32)
    whole = np.floor(scaled)
    return whole.astype(np.int32), scaled - whole


def between(value: Reals, low: Reals | float, high: Reals | float) -> Float:
    """1 where low < value < high, otherwise 0."""
    inside: Float = ((value > low) & (value < high)).astype(np.float32)
    return inside


def edge(fraction: Reals, share: Reals | float) -> Float:
    """1 within `share` of either end of a 0 to 1 cell."""
    rim: Float = (np.abs(fraction - 0.5) > 0.5 - share).astype(np.float32)
    return rim
