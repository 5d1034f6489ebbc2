"""Patterns give weights, and fade with distance instead of flickering."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from dpt_bench.scenes.raycast.materials import Pattern
from dpt_bench.scenes.raycast.noise import smooth_noise, smooth_tile, white_tile
from dpt_bench.scenes.raycast.patterns import PATTERNS
from dpt_bench.scenes.raycast.spot import Spot


def spot(footprint_m: float, count: int = 4000, seed: int = 3) -> Spot:
    rng = np.random.default_rng(0)
    full = np.ones(count, np.float32)
    return Spot(
        u=(4 * rng.random(count)).astype(np.float32),
        v=(3 * rng.random(count)).astype(np.float32),
        width=4 * full,
        height=3 * full,
        period_u=0.5 * full,
        period_v=0.4 * full,
        footprint=np.float32(footprint_m) * full,
        seed=np.full(count, seed, np.int32),
    )


def test_every_name_that_a_material_may_use_has_a_pattern() -> None:
    assert set(PATTERNS) == set(get_args(Pattern))


@pytest.mark.parametrize("name", sorted(PATTERNS))
@pytest.mark.parametrize("footprint_m", [0.001, 0.05, 10.0])
def test_weights_stay_in_range(name: Pattern, footprint_m: float) -> None:
    second, third, factor = PATTERNS[name](spot(footprint_m))
    assert np.min(second) >= -1e-3
    assert np.max(second) <= 1.001
    assert np.min(third) >= -1e-3
    assert np.max(third) <= 1.001
    assert np.min(factor) > 0
    assert np.max(factor) < 3


@pytest.mark.parametrize("name", ["noise", "brick", "planks", "tiles", "stripes", "facade", "cloth"])
def test_fine_detail_fades_where_a_pixel_covers_it(name: Pattern) -> None:
    near, far = (np.broadcast_to(PATTERNS[name](spot(size))[0], 4000).std() for size in (0.002, 20.0))
    assert far < 0.2 * near + 1e-6


def test_noise_tiles_are_periodic_and_fill_their_range() -> None:
    tile = smooth_tile()
    np.testing.assert_array_equal(tile[0], tile[-1])
    np.testing.assert_array_equal(tile[:, 0], tile[:, -1])
    steps = np.abs(np.diff(tile, axis=0)).max(axis=1)
    assert steps[-1] < 1.5 * np.median(steps)  # no seam where the tile repeats
    assert tile.mean() == pytest.approx(0.5, abs=0.03)
    assert 0.15 < tile.std() < 0.3
    assert white_tile().mean() == pytest.approx(0.5, abs=0.01)


def test_noise_of_many_pixels_is_that_of_each() -> None:
    rng = np.random.default_rng(1)
    u, v = (rng.uniform(-500, 500, 9000).astype(np.float32) for _ in range(2))
    together = smooth_noise(u, v, 2.0)
    apart = np.concatenate([smooth_noise(u[k : k + 1], v[k : k + 1], 2.0) for k in (0, 4095, 4096, 8999)])
    np.testing.assert_array_equal(together[[0, 4095, 4096, 8999]], apart)
    assert smooth_noise(u[:0], v[:0]).shape == (0,)
