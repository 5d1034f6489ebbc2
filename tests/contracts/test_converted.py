"""What every training set becomes in a shard: polarity, sky, holes, range, the way back, and alignment after the resize."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest

from dpt_bench.conversion.convert_sample import convert_sample
from dpt_bench.conversion.options import SampleOptions
from dpt_bench.core.catalog import RECIPES, TRAIN_RECIPES
from dpt_bench.core.recipe import Recipe
from dpt_bench.core.sample import DepthMap
from dpt_bench.resize import pick_pixels
from dpt_bench.scenes import Scene
from dpt_bench.shards.codec import STEPS, ShardSample, decode_members, encode_members

DEPTH = [name for name in TRAIN_RECIPES.names() if RECIPES.load(name).target.kind not in ("labels", "ordinal")]
every_training_set = pytest.mark.parametrize("name", DEPTH)
REDUCTION = 0.6


@dataclass(frozen=True)
class Converted:
    """A sample of an example tree, and what the members of its shard say. `stored` and `truth` are on the shard's grid."""

    recipe: Recipe
    target: DepthMap
    stored: ShardSample
    scene: Scene

    def pick(self, array: np.ndarray) -> np.ndarray:
        return pick_pixels(array, self.stored.image.shape[:2])

    @property
    def sky(self) -> np.ndarray:
        size = self.stored.image.shape[:2]
        return np.zeros(size, bool) if self.target.sky is None else self.pick(self.target.sky)

    @property
    def measured(self) -> np.ndarray:
        return self.pick(self.target.valid) & ~self.sky


@pytest.fixture(scope="module")
def converted(examples):
    """Recipe name -> what became of the samples of its example tree."""
    return cache(lambda name: list(_convert(name, examples)))


def _convert(name: str, examples) -> Iterator[Converted]:
    recipe = RECIPES.load(name)
    for sample, target, scene in examples(name).depths():
        side = max(32, round(REDUCTION * min(sample.image.shape[:2])))
        shard_sample = convert_sample(sample, recipe, SampleOptions(short_side=side))
        stored = decode_members(sample.key, encode_members(shard_sample))
        assert min(stored.image.shape[:2]) == side, "it is reduced"
        yield Converted(recipe, target, stored, scene)


@every_training_set
def test_values_span_0_to_1_and_holes_are_invalid(name: str, converted) -> None:
    for one in converted(name):
        values = one.stored.inverse_depth
        known = np.isfinite(values)
        assert (values[known].min(), values[known].max()) == (0, 1), one.stored.key
        valid_sky = one.sky & (one.recipe.target.sky_policy != "invalid")
        np.testing.assert_array_equal(known, one.measured | valid_sky, err_msg=one.stored.key)


@every_training_set
def test_near_is_one(name: str, converted) -> None:
    for one in converted(name):
        nearness = 1 / one.pick(one.scene.depth_m)[one.measured]
        values = one.stored.inverse_depth[one.measured]
        order = np.argsort(nearness, kind="stable")
        quarters = np.array_split(values[order], 4)
        assert np.median(quarters[-1]) > np.median(quarters[0]), one.stored.key
        assert nearness[values.argmax()] > 0.95 * nearness.max(), one.stored.key


@every_training_set
def test_sky_is_as_the_policy_says(name: str, converted) -> None:
    seen = expected = 0
    for one in converted(name):
        policy, sky = one.recipe.target.sky_policy, one.sky
        assert (one.stored.sky is None) == (one.target.sky is None)
        if one.stored.sky is None:
            continue
        np.testing.assert_array_equal(one.stored.sky, sky)
        values, lo = one.stored.inverse_depth[sky], one.stored.meta["lo"]
        seen += values.size
        expected += np.count_nonzero(one.pick(one.scene.sky))
        assert np.isnan(values).all() if policy == "invalid" else (values == 0).all(), one.stored.key
        if policy == "infinity" and sky.any():
            assert lo == 0, one.stored.key
        if policy == "minimum" and sky.any():
            assert (one.stored.inverse_depth[one.measured] == 0).any(), "the sky takes the farthest measured number"
    assert seen == expected


@every_training_set
def test_the_way_back_is_within_half_a_step(name: str, converted) -> None:
    """From codes to metres, 1/m, pixels or the dataset's own numbers, sky included."""
    for one in converted(name):
        lo, hi = one.stored.meta["lo"], one.stored.meta["hi"]
        back = lo + one.stored.inverse_depth.astype(np.float64) * (hi - lo)
        numbers = one.pick(one.target.values).astype(np.float64)
        true = numbers if one.target.kind.is_disparity else 1 / numbers
        policy = one.recipe.target.sky_policy
        if policy != "invalid":
            true[one.sky] = 0.0 if policy == "infinity" else true[one.measured].min()
        known = np.isfinite(one.stored.inverse_depth)
        half_a_step = 0.5 * (hi - lo) / STEPS
        rounding = 2e-7 * max(abs(lo), abs(hi), hi - lo)  # values leave the decoder as float32
        error = np.abs(back - true)[known]
        assert error.max() <= half_a_step + rounding, f"{one.stored.key}: {error.max()} > {half_a_step}"


@every_training_set
def test_image_and_target_are_aligned_to_the_pixel(name: str, examples) -> None:
    """A picture that shows the scene's nearness fits its target best without any shift, after a resize of both."""
    recipe = RECIPES.load(name)
    for sample, _, scene in list(examples(name).depths())[:3]:
        nearness = 1 / np.where(scene.sky, np.inf, scene.depth_m)
        picture = np.round(255 * nearness / nearness.max()).astype(np.uint8)[..., None].repeat(3, axis=2)
        side = max(32, round(REDUCTION * min(picture.shape[:2])))
        stored = convert_sample(replace(sample, image=picture), recipe, SampleOptions(short_side=side))
        shifts = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
        misfits = [_misfit(stored, shift) for shift in shifts]
        assert shifts[int(np.argmin(misfits))] == (0, 0), f"{sample.key}: {dict(zip(shifts, misfits, strict=True))}"


def _misfit(stored: ShardSample, shift: tuple[int, int]) -> float:
    """Mean squared residual of the picture, shifted, against the best straight line of the target."""
    moved = np.roll(stored.image[..., 0].astype(np.float64), shift, (0, 1))[2:-2, 2:-2]
    values = stored.inverse_depth[2:-2, 2:-2].astype(np.float64)
    known = np.isfinite(values)
    columns = np.stack([values[known], np.ones(known.sum())], axis=1)
    residual = moved[known] - columns @ np.linalg.lstsq(columns, moved[known], rcond=None)[0]
    return float((residual**2).mean())
