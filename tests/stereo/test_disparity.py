"""Geometry: exact flow gives exact disparity, the left-right check finds what one eye does not see, signs are free."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpt_bench.core.errors import SampleError
from dpt_bench.scenes import Scene
from dpt_bench.stereo import Rules, left_right_difference, to_disparity

OPEN = Rules(1e9, 1.0, 0.0, 1.0, -1.0)
"""Rules that refuse nothing but a constant."""


def true_disparity(scene: Scene) -> np.ndarray:
    return scene.camera.fx * scene.camera.baseline_m / scene.depth_m.astype(np.float64)


def hidden_from_the_right_eye(scene: Scene, gap_px: float) -> np.ndarray:
    """By the left eye's depth alone: something at least `gap_px` nearer lands on the same column or left of it."""
    disparity = true_disparity(scene)
    landing = np.arange(disparity.shape[1]) - disparity
    hidden = np.zeros(disparity.shape, bool)
    for shift in range(1, int(np.ceil(disparity.max())) + 1):
        covers = (landing[:, shift:] <= landing[:, :-shift]) & (disparity[:, shift:] > disparity[:, :-shift] + gap_px)
        hidden[:, :-shift] |= covers
    return hidden


def beside(mask: np.ndarray, reach: int) -> np.ndarray:
    """The mask widened to either side."""
    wide = mask.copy()
    for shift in range(1, reach + 1):
        wide[:, shift:] |= mask[:, :-shift]
        wide[:, :-shift] |= mask[:, shift:]
    return wide


def test_exact_flow_gives_the_disparity_of_the_geometry(stereo_scenes: list[Scene]) -> None:
    for scene in stereo_scenes:
        values, valid = to_disparity(scene.right.flow_forward, scene.right.flow_backward, OPEN)
        np.testing.assert_allclose(values, true_disparity(scene), rtol=1e-5, atol=1e-5)
        assert valid.mean() > 0.7


def test_the_check_finds_the_pixels_that_the_right_eye_does_not_see(stereo_scenes: list[Scene]) -> None:
    found = hits = true = caught = 0
    for scene in stereo_scenes:
        _, valid = to_disparity(scene.right.flow_forward, scene.right.flow_backward, OPEN)
        inside = np.arange(valid.shape[1]) - true_disparity(scene) >= 0
        flagged, hidden = ~valid & inside, hidden_from_the_right_eye(scene, 1.0) & inside
        found += flagged.sum()
        hits += (flagged & beside(hidden, 1)).sum()  # bilinear reading blurs the edge by a pixel
        true += hidden.sum()
        caught += (hidden & ~valid).sum()
    assert true > 1000
    assert hits / found > 0.9, "precision"
    assert caught / true > 0.9, "recall"


def test_swapped_eyes_pass_every_rule_and_turn_the_sign(stereo_scenes: list[Scene], movie_rules: Rules) -> None:
    """Why eye_order exists: the filters are blind to the sign, so a swapped film would be converted inside out."""
    rules = Rules(2.0, 0.1, 10.0, 2.0, 0.7, threshold_width=1880)
    for scene in stereo_scenes:
        right = scene.right
        values, _ = to_disparity(right.flow_forward, right.flow_backward, rules)
        swapped, valid = to_disparity(right.flow_backward, right.flow_forward, rules)
        assert np.median(values) > 0 > np.median(swapped)
        assert valid.mean() > 0.7
        order = np.corrcoef(swapped[valid], -right.flow_backward[..., 0][valid])[0, 1]
        assert order == pytest.approx(1.0)


def test_rows_are_not_displaced_and_the_border_repeats() -> None:
    forward, backward = np.zeros((2, 3, 6, 2), np.float32)
    forward[..., 0] = -2
    backward[..., 0] = [[1, 2, 3, 4, 5, 6]]
    forward[1, :, 1] = 1.5  # a vertical part changes nothing
    difference = left_right_difference(forward, backward)
    np.testing.assert_allclose(difference, np.tile([1, 1, 1, 0, 1, 2], (3, 1)))


def test_reading_between_columns_is_linear() -> None:
    forward, backward = np.zeros((2, 1, 4, 2), np.float32)
    forward[..., 0] = -0.5
    backward[0, :, 0] = [0, 1, 0, 4]
    np.testing.assert_allclose(left_right_difference(forward, backward)[0], [0.5, 0, 0, 1.5], atol=1e-6)


def test_unknown_flow_is_invalid_and_absurd_flow_does_no_harm(good_flow) -> None:
    forward, backward = good_flow
    forward[0, 10:20] = np.nan
    backward[1, 30:40] = np.nan
    forward[2, 50] = 1e8
    values, valid = to_disparity(forward, backward, OPEN)
    assert not valid[0, 10:20].any()
    assert not valid[1].all()
    assert not valid[2, 50]
    assert valid[5, 5:].all()
    assert values.dtype == np.float32


def test_flows_of_different_size_are_refused(good_flow) -> None:
    with pytest.raises(SampleError) as raised:
        to_disparity(good_flow[0], good_flow[1][:-1], OPEN)
    assert raised.value.reason == "shape-mismatch"


@settings(deadline=None, max_examples=30)
@given(st.integers(2, 12), st.floats(-8, 8), st.integers(0, 2**31))
def test_a_constant_shift_between_the_eyes_is_consistent_everywhere(height: int, shift: float, seed: int) -> None:
    forward, backward = np.zeros((2, height, 24, 2), np.float32)
    forward[..., 0], backward[..., 0] = shift, -shift
    forward[..., 1] = np.random.default_rng(seed).normal(size=(height, 24))
    assert left_right_difference(forward, backward).max() < 1e-5


def test_a_frame_of_a_film_takes_well_under_a_second(movie_rules: Rules) -> None:
    columns = np.broadcast_to(np.arange(1880, dtype=np.float32), (800, 1880))
    forward, backward = np.zeros((2, 800, 1880, 2), np.float32)
    forward[..., 0] = -0.02 * columns
    backward[..., 0] = 0.02 * columns / 0.98
    start = time.perf_counter()
    _, valid = to_disparity(forward, backward, movie_rules)
    assert time.perf_counter() - start < 1.0  # about 0.06 s on an idle core
    assert valid.all()
