from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpt_bench.conversion.convert_sample import convert_sample, normalised_inverse_depth, output_size, scale_camera
from dpt_bench.conversion.options import SampleOptions
from dpt_bench.core.errors import SampleError
from dpt_bench.core.kinds import DepthKind
from dpt_bench.core.recipe import Recipe
from dpt_bench.core.sample import Camera, DepthMap, LabelMap, OrdinalPairs, Sample, Target

SIZE = (40, 60)


def _recipe(sky_policy: str = "infinity", kind: str = "metric_depth") -> Recipe:
    return Recipe.model_validate(
        {
            "name": "toy",
            "version": 3,
            "title": "",
            "citation": "",
            "licence": "",
            "homepage": "",
            "obtain": "",
            "reader": "x",
            "target": {"kind": kind, "format": "npy", "sky_policy": sky_policy},
            "splits": {"train": {}},
            "path": Path("toy.toml"),
        }
    )


def _depth(size: tuple[int, int] = SIZE) -> np.ndarray[Any, Any]:
    """Metres: 2 at the bottom, 42 at the top."""
    return np.linspace(42, 2, size[0], dtype=np.float32)[:, None] + np.zeros(size, np.float32)


def _target(values: np.ndarray[Any, Any], kind: str = "metric_depth", **masks: np.ndarray[Any, Any]) -> DepthMap:
    valid = masks.get("valid", np.isfinite(values))
    return DepthMap(values.astype(np.float32), DepthKind(kind), valid, masks.get("sky"))


def _sample(target: Target, size: tuple[int, int] = SIZE, **facts: Any) -> Sample:
    image = np.random.default_rng(0).integers(0, 255, (*size, 3), dtype=np.uint8)
    return Sample("k", image, target, ("k.png", "k.npy"), **facts)


def _reason(target: DepthMap, policy: Any = "infinity") -> str:
    with pytest.raises(SampleError) as error:
        normalised_inverse_depth(target, policy)
    return error.value.reason


def test_near_is_one_and_far_is_zero() -> None:
    converted = convert_sample(_sample(_target(_depth())), _recipe(), SampleOptions())
    values = converted.inverse_depth
    assert values is not None
    assert values.dtype == np.float32
    assert (values[-1] == 1).all()
    assert (values[0] == 0).all()
    assert (np.diff(values[:, 0]) > 0).all()
    assert converted.meta["lo"] == pytest.approx(1 / 42)
    assert converted.meta["hi"] == pytest.approx(1 / 2)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**31), st.sampled_from(["metric_depth", "scale_invariant_depth", "metric_disparity"]))
def test_lo_and_hi_bring_the_stored_numbers_back(seed: int, kind: str) -> None:
    rng = np.random.default_rng(seed)
    stored = rng.uniform(0.3, 90, SIZE).astype(np.float32)
    stored[rng.random(SIZE) < 0.3] = np.nan
    values, _, lo, hi = normalised_inverse_depth(_target(stored, kind), "infinity")
    inverse = lo + values.astype(np.float64) * (hi - lo)
    back = inverse if DepthKind(kind).is_disparity else 1 / inverse
    assert np.array_equal(np.isnan(back), np.isnan(stored))
    assert np.nanmax(np.abs(back - stored) / stored) < 1e-4
    assert np.nanmin(values) == 0
    assert np.nanmax(values) == 1


def test_affine_disparity_may_be_negative() -> None:
    values, _, lo, hi = normalised_inverse_depth(_target(-_depth(), "affine_disparity"), "invalid")
    assert (lo, hi) == (-42, -2)
    assert values[-1, 0] == 1


def _sky() -> np.ndarray[Any, Any]:
    sky = np.zeros(SIZE, bool)
    sky[:8] = True
    return sky


@pytest.mark.parametrize(("policy", "lo", "sky_value"), [("infinity", 0.0, 0.0), ("minimum", 1 / 33.8, 0.0)])
def test_sky_is_farthest_and_valid(policy: str, lo: float, sky_value: float) -> None:
    depth = _depth()
    depth[_sky()] = np.nan  # the file has no usable number there
    target = _target(depth, sky=_sky(), valid=np.ones(SIZE, bool))
    values, sky, low, _ = normalised_inverse_depth(target, policy)  # type: ignore[arg-type]
    assert low == pytest.approx(lo, rel=1e-2, abs=1e-12)
    assert (values[_sky()] == sky_value).all()
    assert np.array_equal(sky, _sky())
    assert (values[8] > 0).all() == (policy == "infinity")


def test_an_invalid_sky_is_no_target_but_stays_known() -> None:
    target = _target(_depth(), sky=_sky(), valid=np.ones(SIZE, bool))
    values, sky, lo, _ = normalised_inverse_depth(target, "invalid")
    assert np.array_equal(np.isnan(values), _sky())
    assert np.array_equal(sky, _sky())
    assert lo > 1 / 42


def test_without_sky_in_the_image_lo_is_the_farthest_pixel() -> None:
    _, sky, lo, _ = normalised_inverse_depth(_target(_depth(), sky=np.zeros(SIZE, bool)), "infinity")
    assert lo == pytest.approx(1 / 42)
    assert sky is not None


def test_holes_stay_holes() -> None:
    depth = _depth()
    valid = np.ones(SIZE, bool)
    valid[10:20, 10:20] = False
    depth[~valid] = np.nan
    values, _, _, _ = normalised_inverse_depth(_target(depth, valid=valid), "infinity")
    assert np.array_equal(np.isnan(values), ~valid)


def test_lo_and_hi_are_taken_after_the_resize() -> None:
    """One near pixel that the resize does not pick leaves no trace."""
    depth = _depth((800, 900))
    unpicked = next(row for row in range(800) if row not in {(2 * i + 1) * 800 // 768 for i in range(384)})
    depth[unpicked] = 0.01
    converted = convert_sample(_sample(_target(depth), (800, 900)), _recipe(), SampleOptions(short_side=384))
    assert converted.meta["hi"] == pytest.approx(0.5, rel=0.05)
    assert converted.image.shape == (384, 432, 3)
    assert converted.inverse_depth is not None
    assert converted.inverse_depth.shape == (384, 432)


def test_image_and_target_stay_aligned() -> None:
    """An edge at the same place in both: the resized target's jump is where the resized image's is."""
    image = np.zeros((800, 1000, 3), np.uint8)
    image[:, 600:] = 255
    depth = np.where(np.arange(1000) >= 600, 1.0, 9.0)[None].repeat(800, 0).astype(np.float32)
    sample = Sample("k", image, _target(depth), ("k",))
    converted = convert_sample(sample, _recipe(), SampleOptions(short_side=100))
    assert converted.inverse_depth is not None
    assert np.array_equal(converted.inverse_depth == 1, converted.image[..., 0] > 127)


def test_small_images_are_not_enlarged() -> None:
    converted = convert_sample(_sample(_target(_depth())), _recipe(), SampleOptions())
    assert converted.image.shape == (*SIZE, 3)
    assert output_size(1000, 2000, "native") == (1000, 2000)
    assert output_size(1000, 2000, 384) == (384, 768)


def test_the_camera_follows_the_resize() -> None:
    camera = scale_camera(Camera(fx=800, fy=700, cx=499.5, cy=399.5), (0.5, 0.25))
    assert (camera.fx, camera.fy) == (400, 175)
    assert (camera.cx, camera.cy) == (249.5, 99.5)  # the centre stays the centre


def test_facts_of_the_sample() -> None:
    sample = _sample(_target(_depth((800, 900))), (800, 900), camera=Camera(1, 1, 1, 1), notes={"place": "here"})
    meta = convert_sample(sample, _recipe(), SampleOptions()).meta
    assert meta["recipe"] == "toy"
    assert meta["recipe_version"] == 3
    assert meta["kind"] == "metric_depth"
    assert meta["sky_policy"] == "infinity"
    assert meta["original_size"] == [800, 900]
    assert meta["sources"] == ["k.png", "k.npy"]
    assert meta["notes"] == {"place": "here"}
    assert meta["camera"]["fx"] == pytest.approx(0.48)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 0.0])
def test_a_valid_pixel_without_a_number_rejects_the_sample(bad: float) -> None:
    depth = _depth()
    depth[3, 3] = bad
    assert _reason(_target(depth, valid=np.ones(SIZE, bool))) == "non-finite"


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_valid_disparity_without_a_number_rejects_the_sample(bad: float) -> None:
    disparity = _depth()
    disparity[3, 3] = bad
    assert _reason(_target(disparity, "affine_disparity", valid=np.ones(SIZE, bool)), "invalid") == "non-finite"


@pytest.mark.parametrize("kind", ["metric_depth", "metric_disparity", "scale_invariant_disparity"])
def test_negative_numbers_reject_the_sample(kind: str) -> None:
    values = _depth()
    values[3, 3] = -1
    assert _reason(_target(values, kind)) == "negative"


def test_disparity_zero_is_infinitely_far_and_good() -> None:
    disparity = _depth()
    disparity[0] = 0
    values, _, lo, _ = normalised_inverse_depth(_target(disparity, "metric_disparity"), "infinity")
    assert lo == 0
    assert (values[0] == 0).all()


def test_too_few_valid_pixels() -> None:
    valid = np.zeros(SIZE, bool)
    assert _reason(_target(_depth(), valid=valid)) == "too-few-valid"
    valid[:1, :] = True  # 2.5 %
    assert _reason(_target(_depth(), valid=valid)) == "too-few-valid"
    sky = np.ones(SIZE, bool)
    sky[:1] = False
    assert _reason(_target(_depth(), sky=sky, valid=np.ones(SIZE, bool))) == "too-few-valid"
    valid[:2, :] = True  # 5 %
    normalised_inverse_depth(_target(_depth(), valid=valid), "infinity")


def test_a_flat_map_has_no_scale() -> None:
    assert _reason(_target(np.full(SIZE, 3.0, np.float32))) == "flat"
    assert _reason(_target(np.zeros(SIZE, np.float32), "affine_disparity"), "invalid") == "flat"
    noise = np.full(SIZE, 3.0, np.float32)
    noise[0, 0] = np.nextafter(np.float32(3), np.float32(4))
    assert _reason(_target(noise)) == "flat"


def test_a_flat_map_before_the_sky_has_a_scale() -> None:
    flat = np.full(SIZE, 3.0, np.float32)
    values, _, lo, hi = normalised_inverse_depth(_target(flat, sky=_sky(), valid=np.ones(SIZE, bool)), "infinity")
    assert (lo, hi) == (0, pytest.approx(1 / 3))
    assert set(np.unique(values)) == {0, 1}


@pytest.mark.parametrize("kind", ["affine_depth", "ordinal"])
def test_kinds_without_inverse_depth(kind: str) -> None:
    assert _reason(_target(_depth(), kind)) == "no-inverse"


def test_labels_are_picked_not_mixed() -> None:
    labels = np.zeros((800, 900), np.uint8)
    labels[:, 450:] = 200
    converted = convert_sample(_sample(LabelMap(labels), (800, 900)), _recipe(), SampleOptions())
    assert converted.inverse_depth is None
    assert converted.labels is not None
    assert set(np.unique(converted.labels)) == {0, 200}
    assert converted.meta["kind"] == "labels"
    assert converted.meta["ignore"] == 255


def test_an_unlabelled_image_is_rejected() -> None:
    with pytest.raises(SampleError) as error:
        convert_sample(_sample(LabelMap(np.full(SIZE, 255, np.uint8))), _recipe(), SampleOptions())
    assert error.value.reason == "too-few-valid"


def test_ordinal_pairs_do_not_fit_into_shards() -> None:
    pairs = OrdinalPairs(np.zeros((1, 2, 2)), np.array([True]))
    with pytest.raises(SampleError) as error:
        convert_sample(_sample(pairs), _recipe(), SampleOptions())
    assert error.value.reason == "ordinal-target"
