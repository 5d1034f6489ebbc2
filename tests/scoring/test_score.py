"""The score of one image; "trap N" refers to the list in reference/zeroshot-protocols-and-peers.md, section 4."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpt_bench.core.kinds import DepthKind
from dpt_bench.scoring import score, space

DISPARITY = DepthKind.AFFINE_DISPARITY


def random_image(seed: int):
    """Depth (H, W) with far pixels and, below some whole rows, holes and NaN; a prediction of another size and scale."""
    generator = np.random.default_rng(seed)
    height, width = generator.integers(5, 40, 2)
    depth_m = generator.uniform(0.5, 100, (height, width)).astype(np.float32)
    below = np.arange(height)[:, None] >= generator.integers(0, height)
    depth_m[below & (generator.random((height, width)) < 0.1)] = np.nan
    valid = np.isfinite(depth_m) & ~(below & (generator.random((height, width)) < 0.2))
    prediction = generator.normal(
        generator.normal(0, 100), 10 ** generator.uniform(-3, 3), generator.integers(2, 30, 2)
    )
    return depth_m, valid, prediction.astype(np.float32)


@settings(deadline=None, max_examples=150)
@given(
    seed=st.integers(0, 2**32), cap_m=st.sampled_from([10.0, 72.0, 80.0]), farthest_m=st.sampled_from([10.0, np.inf])
)
def test_agrees_with_the_independent_implementation(
    seed, cap_m, farthest_m, oracle, make_protocol, make_target
) -> None:
    depth_m, valid, prediction = random_image(seed)
    protocol = make_protocol(cap_m=cap_m, target_range_m=(0.0, farthest_m))
    scored = score(make_target(depth_m, valid), prediction, DISPARITY, protocol)
    expected = oracle.midas_scores(prediction, depth_m, valid, cap_m=cap_m, farthest_m=farthest_m)
    if expected is None:
        assert scored.skipped == "no-valid-pixel"
    else:
        assert scored.values == pytest.approx(expected, rel=1e-9, abs=1e-9)


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 2**32), scale=st.floats(1e-3, 1e3), shift=st.floats(-1e3, 1e3))
def test_scale_and_shift_of_the_prediction_do_not_matter(seed, scale, shift, make_protocol, make_target) -> None:
    """Trap 5 as well: clipping before the alignment would break this."""
    depth_m, valid, prediction = random_image(seed)
    target = make_target(depth_m, valid)
    wide = prediction.astype(np.float64)
    first, second = (score(target, values, DISPARITY, make_protocol()) for values in (wide, scale * wide + shift))
    assert second.skipped == first.skipped
    if "degenerate-fit" not in first.flags + second.flags:
        conditioning = (abs(scale * wide).max() + abs(shift)) / max(np.ptp(scale * wide), 1e-12)
        assert second.values["absrel"] == pytest.approx(first.values.get("absrel"), rel=1e-10 * (1 + conditioning))


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 2**32), rubbish=st.sampled_from([0.0, -1.0, 5.0, 1e9, np.inf, np.nan]))
def test_what_invalid_pixels_hold_does_not_matter(seed, rubbish, make_protocol, make_target) -> None:
    depth_m, valid, prediction = random_image(seed)
    target = make_target(depth_m, valid)
    before = score(target, prediction, DISPARITY, make_protocol())
    target.values[~valid] = rubbish
    assert score(target, prediction, DISPARITY, make_protocol()) == before


def test_adding_invalid_pixels_changes_nothing(scene, make_protocol, make_target) -> None:
    depth_m, _ = scene
    prediction = 1 / depth_m + np.random.default_rng(1).normal(0, 0.01, depth_m.shape)
    before = score(make_target(depth_m), prediction, DISPARITY, make_protocol())
    wider, more = (
        np.pad(values, ((7, 3), (2, 9)), constant_values=fill)
        for values, fill in ((depth_m, np.nan), (prediction, 1e6))
    )
    after = score(make_target(wider), more, DISPARITY, make_protocol())
    assert after.values == pytest.approx(before.values, rel=1e-12)
    assert after.n_valid == before.n_valid == depth_m.size


def test_negative_aligned_disparity_becomes_exactly_the_cap(make_protocol, make_target) -> None:
    """Trap 1: inverted without a floor it would be a negative, or a huge depth; clipped afterwards, a millimetre."""
    truth = np.array([[2.0, 2.0, 2.0, 2.0, 50.0, 60.0]])
    prediction = np.array([[0.6, 0.6, 0.6, 0.6, -0.4, 0.0]])
    protocol = make_protocol(cap_m=80.0, metrics=("absrel",))
    scored = score(make_target(truth), prediction, DISPARITY, protocol)
    aligned = scored.scale * prediction + scored.shift
    assert aligned[0, 4] < 0, "the example must spring the trap"
    depth = np.where(aligned < 1 / 80, 80.0, 1 / np.maximum(aligned, 1e-9))
    assert scored.values["absrel"] == pytest.approx(np.mean(np.abs(depth - truth) / truth), rel=1e-12)
    assert scored.values["absrel"] < 0.6


def test_alignment_is_in_float64(make_protocol, make_target) -> None:
    """Trap 2: normal equations in float32 are off by percents where the offset is large, and give up where det <= 0."""
    generator = np.random.default_rng(2)
    depth_m = generator.uniform(2, 70, (600, 1000))
    disparity = 1 / depth_m.astype(np.float32).astype(np.float64)
    scored = score(make_target(depth_m), 2000 + 40 * disparity, DISPARITY, make_protocol())
    assert scored.scale == pytest.approx(1 / 40, rel=1e-8)
    assert scored.values["absrel"] < 1e-8

    p, g = (2000 + 40 * disparity).astype(np.float32).ravel(), disparity.astype(np.float32).ravel()
    a00, a01, a11, b0, b1 = p @ p, p.sum(), np.float32(p.size), p @ g, g.sum()
    naive = (a11 * b0 - a01 * b1) / (a00 * a11 - a01 * a01)
    assert naive != pytest.approx(1 / 40, rel=1e-3), "the example must spring the trap"


def test_depth_given_as_disparity_has_its_sign_recorded(scene, make_protocol, make_target) -> None:
    """Trap 3."""
    depth_m, _ = scene
    scored = score(make_target(depth_m), depth_m, DISPARITY, make_protocol())
    assert scored.scale < 0
    assert scored.flags == ("negative-scale",)
    assert np.isfinite(scored.values["absrel"])


def test_the_cap_is_applied_after_the_alignment_and_only_to_the_prediction(make_protocol, make_target) -> None:
    """Traps 5 and 10: targets beyond the cap are scored, and a perfect prediction of one is cut to the cap."""
    depth_m = np.array([[5.0, 10.0, 20.0, 100.0]])
    scored = score(make_target(depth_m), 7 / depth_m - 3, DISPARITY, make_protocol(cap_m=80.0, metrics=("absrel",)))
    assert scored.n_valid == 4
    assert scored.values["absrel"] == pytest.approx((100 - 80) / 100 / 4, rel=1e-6)


def test_the_fit_and_the_metrics_see_the_same_pixels(scene, make_protocol, make_target) -> None:
    """Trap 4: a far wall outside the range changes neither the fit nor the score."""
    depth_m, prediction = scene
    protocol = make_protocol(target_range_m=(0.0, 20.0), cap_m=20.0)
    before = score(make_target(depth_m), prediction, DISPARITY, protocol)
    moved = np.where(depth_m >= 20.0, 5000.0, depth_m)
    after = score(make_target(moved), prediction, DISPARITY, protocol)
    assert (after.scale, after.shift, after.values) == (before.scale, before.shift, before.values)
    assert after.n_valid == np.count_nonzero(depth_m.astype(np.float32) < 20.0)


def test_outliers_are_not_clipped_before_the_alignment(scene, make_protocol, make_target, oracle) -> None:
    """Trap 6."""
    depth_m, prediction = scene
    prediction[3, 3] = 1e5
    scored = score(make_target(depth_m), prediction, DISPARITY, make_protocol())
    expected = oracle.midas_scores(prediction, depth_m.astype(np.float32), np.isfinite(depth_m), cap_m=80.0)
    assert scored.values == pytest.approx(expected, rel=1e-9)


def test_the_prediction_is_resized_never_the_target(make_protocol, make_target) -> None:
    """Trap 8: of a target with single valid pixels here and there, every one is scored."""
    depth_m = np.full((64, 96), np.nan)
    depth_m[1::7, 2::9] = np.linspace(2, 40, depth_m[1::7, 2::9].size).reshape(depth_m[1::7, 2::9].shape)
    valid = np.isfinite(depth_m)
    generator = np.random.default_rng(3)
    for size in ((8, 12), (64, 96), (200, 300)):
        scored = score(make_target(depth_m, valid), generator.random(size), DISPARITY, make_protocol())
        assert scored.n_valid == valid.sum()


def test_bilinear_with_pixel_centres(make_protocol, make_target) -> None:
    """Trap 9: align_corners=True, or bicubic, would give another number."""
    truth = np.array([[1.0, 0.75, 0.25, 0.0]]) * 0.4 + 0.1  # [1, 0] upsampled to four
    scored = score(make_target(1 / truth), np.array([[1.0, 0.0]]), DISPARITY, make_protocol())
    assert scored.values["absrel"] < 1e-6
    other = score(make_target(1 / truth), np.array([[1.0, 0.0]]), DISPARITY, make_protocol(upsample="bicubic"))
    assert other.values["absrel"] > 1e-3


def test_the_range_is_exclusive(make_protocol, make_target) -> None:
    """Trap 15: NYU scores depth below 10 m, strictly, and above 0."""
    depth_m = np.array([[0.0, 1.0, 9.999, 10.0, 10.001, 2.0]])
    protocol = make_protocol(target_range_m=(0.0, 10.0), cap_m=10.0)
    assert score(make_target(depth_m), 1 / (depth_m + 0.5), DISPARITY, protocol).n_valid == 3


def test_non_finite_predictions_are_counted_not_dropped(scene, make_protocol, make_target) -> None:
    """Trap 25: where they matter the image is skipped with a reason; elsewhere it is flagged."""
    depth_m, prediction = scene
    half = np.arange(60) < 30
    target = make_target(depth_m, np.broadcast_to(half, depth_m.shape))
    bad = prediction.copy()
    bad[5, 31] = np.nan
    clean = score(target, prediction, DISPARITY, make_protocol())
    elsewhere = score(target, bad, DISPARITY, make_protocol())
    assert elsewhere.flags == ("non-finite-prediction",)
    assert elsewhere.values == clean.values
    bad[5, 3] = np.inf
    skipped = score(target, bad, DISPARITY, make_protocol())
    assert (skipped.values, skipped.skipped) == ({}, "non-finite-prediction")
    assert skipped.n_valid == clean.n_valid
    assert f"of {clean.n_valid} scored pixels" in skipped.message


def test_numbers_too_large_for_a_fit_do_not_pass_as_perfect(make_protocol, make_target) -> None:
    prediction = np.random.default_rng(0).random((6, 8)) * 1e308
    target = make_target(np.random.default_rng(1).uniform(1, 50, (6, 8)))
    scored = score(target, prediction, DISPARITY, make_protocol(metrics=("delta_above_1_25",)))
    assert (scored.values, scored.skipped) == ({}, "undefined-score")


def test_infinities_of_both_signs_are_counted(make_protocol, make_target) -> None:
    scored = score(make_target(np.full((2, 3), 5.0)), np.full((2, 3), np.inf) * [1, -1, 1], DISPARITY, make_protocol())
    assert scored.skipped == "non-finite-prediction"
    assert "6 of 6" in scored.message


@pytest.mark.parametrize("depth", [np.nan, 0.0, -1.0, np.inf])
def test_an_image_without_a_valid_pixel_is_skipped(depth, make_protocol, make_target) -> None:
    """Traps 13 and 26."""
    scored = score(
        make_target(np.full((4, 5), depth), np.ones((4, 5), bool)), np.ones((2, 2)), DISPARITY, make_protocol()
    )
    assert scored.skipped == "no-valid-pixel"
    assert scored.values == {}
    far = score(make_target(np.full((4, 5), 75.0)), np.ones((2, 2)), DISPARITY, make_protocol(target_range_m=(0, 72)))
    assert far.skipped == "no-valid-pixel"


def test_a_constant_prediction_scores_as_the_best_constant_disparity(scene, make_protocol, make_target, oracle) -> None:
    depth_m, _ = scene
    truth = 1 / depth_m.astype(np.float32).astype(np.float64)
    for constant in (0.0, 1.0, -7.3, 1e6):
        scored = score(make_target(depth_m), np.full((20, 30), constant, np.float32), DISPARITY, make_protocol())
        assert scored.flags == ("degenerate-fit",)
        assert scored.scale == 0
        assert scored.shift == pytest.approx(truth.mean(), rel=1e-12)
        expected = oracle.midas_scores(np.full((20, 30), constant), depth_m.astype(np.float32), depth_m > 0, cap_m=80.0)
        assert scored.values == pytest.approx(expected, rel=1e-9)


def test_one_valid_pixel_is_a_degenerate_fit_and_still_a_row(make_protocol, make_target) -> None:
    depth_m = np.full((3, 3), np.nan)
    depth_m[1, 1] = 4.0
    scored = score(make_target(depth_m), np.random.default_rng(0).random((3, 3)), DISPARITY, make_protocol())
    assert scored.flags == ("degenerate-fit",)
    assert scored.values["absrel"] == pytest.approx(0.0, abs=1e-12)


def test_metric_depth_is_scored_as_its_reciprocal(scene, make_protocol, make_target) -> None:
    """A stronger kind is converted first: declared as depth or as the disparity it is, a prediction scores the same."""
    depth_m, prediction = scene
    depth = 1 / np.maximum(prediction, 1.0)
    target = make_target(depth_m)
    as_depth = score(target, depth, DepthKind.METRIC_DEPTH, make_protocol())
    as_disparity = score(target, 1 / depth, DISPARITY, make_protocol())
    assert as_depth == as_disparity
    assert as_depth.values["absrel"] != score(target, depth, DISPARITY, make_protocol()).values["absrel"]


def test_depth_space_clamps_to_the_range_and_the_cap(make_protocol, make_target) -> None:
    depth_m = np.array([[1.0, 2.0, 4.0, 8.0]])
    protocol = make_protocol(
        alignment_space="depth", alignment="none", cap_m=6.0, target_range_m=(0.5, 100.0), metrics=("absrel",)
    )
    prediction = np.array([[-3.0, 2.0, 4.0, 80.0]])
    scored = score(make_target(depth_m), prediction, DepthKind.METRIC_DEPTH, protocol)
    assert scored.values["absrel"] == pytest.approx((0.5 / 1 + 0 + 0 + 2 / 8) / 4)
    assert (scored.scale, scored.shift) == (None, None)


@pytest.mark.parametrize(
    ("space", "alignment", "change"),
    [
        ("depth", "scale_and_shift", lambda depth: 3 * depth + 5),
        ("depth", "scale", lambda depth: 3 * depth),
        ("disparity", "scale", lambda depth: depth / 3),
        ("log_depth", "scale", lambda depth: 3 * depth),
        ("log_depth", "scale_and_shift", lambda depth: 3 * depth**0.5),
        ("log_depth", "none", lambda depth: depth),
    ],
)
def test_what_each_alignment_removes(space, alignment, change, scene, make_protocol, make_target) -> None:
    depth_m = scene[0].astype(np.float32).astype(np.float64)
    protocol = make_protocol(alignment_space=space, alignment=alignment)
    kind = DepthKind.AFFINE_DEPTH if (space, alignment) == ("depth", "scale_and_shift") else DepthKind.METRIC_DEPTH
    scored = score(make_target(depth_m), change(depth_m), kind, protocol)
    assert scored.values["absrel"] < 1e-9
    assert scored.flags == ()
    wrong = score(make_target(depth_m), change(depth_m) + 9 * depth_m**2, kind, protocol)
    assert wrong.values["absrel"] > 1e-3


@pytest.mark.parametrize("upsample", ["bilinear", "bicubic", "nearest"])
@pytest.mark.parametrize("kind", [DISPARITY, DepthKind.METRIC_DEPTH])
@pytest.mark.parametrize("size", [(40, 60), (20, 32)])
def test_prediction_and_target_are_left_as_they_are(upsample, kind, size, scene, make_protocol, make_target) -> None:
    """Their numbers pass through memory that is used again; none of it may be the caller's."""
    prediction = np.random.default_rng(0).uniform(1, 9, size)
    target = make_target(scene[0])
    before = prediction.copy(), target.values.copy(), target.valid.copy()
    scored = score(target, prediction, kind, make_protocol(upsample=upsample))
    for array, kept in zip((prediction, target.values, target.valid), before, strict=True):
        np.testing.assert_array_equal(array, kept)
    assert score(target, prediction, kind, make_protocol(upsample=upsample)) == scored


def test_disparity_metrics_of_a_relative_target(make_protocol, make_target) -> None:
    """The ablation metric of MiDaS works where there is no depth to convert to."""
    generator = np.random.default_rng(4)
    disparity = generator.uniform(-3, 5, (10, 12))
    protocol = make_protocol(metrics=("rmse_disparity",), cap_m=None)
    target = make_target(disparity, kind=DISPARITY)
    assert score(target, 4 * disparity - 9, DISPARITY, protocol).values["rmse_disparity"] < 1e-6
    noisy = score(target, disparity + generator.normal(0, 0.8, disparity.shape), DISPARITY, protocol)
    assert noisy.values["rmse_disparity"] == pytest.approx(0.1, rel=0.3)
    assert noisy.n_valid == disparity.size


def test_disparity_and_depth_targets_of_one_scene_score_alike(scene, make_protocol, make_target) -> None:
    depth_m, prediction = scene
    protocol = make_protocol(target_range_m=(4.0, 40.0))
    depth = score(make_target(depth_m), prediction, DISPARITY, protocol)
    disparity = score(make_target(1 / depth_m, kind=DepthKind.METRIC_DISPARITY), prediction, DISPARITY, protocol)
    assert disparity.n_valid == depth.n_valid
    assert disparity.values == pytest.approx(depth.values, rel=1e-5)


def test_a_score_that_is_not_defined_is_a_skip(make_protocol, make_target) -> None:
    protocol = make_protocol(metrics=("rmse_disparity",), cap_m=None)
    scored = score(make_target(np.full((3, 4), 0.5), kind=DISPARITY), np.eye(3), DISPARITY, protocol)
    assert scored.skipped == "undefined-score"
    assert scored.values == {}


def test_values_are_fractions(scene, make_protocol, make_target) -> None:
    """Trap 24."""
    depth_m, prediction = scene
    scored = score(make_target(depth_m), -prediction, DISPARITY, make_protocol())
    assert 0.0 < scored.values["delta_above_1_25"] <= 1.0


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 2**32))
def test_large_maps_go_in_strips_to_the_same_numbers(seed, oracle, make_protocol, make_target) -> None:
    depth_m, valid, prediction = random_image(seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(space, "_LARGE", 0)
        patch.setattr(space, "_STRIP", 70)
        scored = score(make_target(depth_m, valid), prediction, DISPARITY, make_protocol())
        alignment, means = (sys.modules[f"dpt_bench.{name}"] for name in ("alignment", "metrics._pixel_means"))
        patch.setattr(alignment, "_BLOCK", 50)
        patch.setattr(means, "BLOCK", 50)
        by_threads = []
        for threads in (1, 2, 3):
            for user in (space, alignment, means):
                patch.setattr(user, "threads_for", lambda count, threads=threads: threads)
            by_threads.append(score(make_target(depth_m, valid), prediction, DISPARITY, make_protocol()))
        assert by_threads[1:] == by_threads[:1] * 2, "to the last digit"
    expected = oracle.midas_scores(prediction, depth_m, valid, cap_m=80.0)
    if expected is None:
        assert scored.skipped == "no-valid-pixel"
    else:
        assert scored.values == pytest.approx(expected, rel=1e-9, abs=1e-9)
        assert scored.n_valid == valid.sum()
