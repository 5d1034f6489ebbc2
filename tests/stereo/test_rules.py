"""Each rule to the pixel, on either side of its threshold, in the direction that the official script gives it."""

from __future__ import annotations

import numpy as np
import pytest

from dpt_bench.core.errors import SampleError
from dpt_bench.stereo import Rules, check_flow


def reason(forward: np.ndarray, backward: np.ndarray, difference: np.ndarray, rules: Rules) -> str | None:
    try:
        check_flow(forward, backward, difference, rules)
    except SampleError as error:
        return error.reason
    return None


@pytest.fixture
def frame() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Flow of 100 pixels that spans 20 px, and no left-right difference: accepted."""
    flow = np.zeros((10, 10, 2), np.float32)
    flow[..., 0] = np.linspace(-25, -5, 100, dtype=np.float32).reshape(10, 10)
    return flow, -flow, np.zeros((10, 10), np.float32)


def test_a_good_frame_is_accepted(frame, movie_rules: Rules) -> None:
    assert reason(*frame, movie_rules) is None


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("pixels", "refused"), [(9, None), (10, "vertical-disparity")])
def test_ten_per_cent_of_vertical_motion_is_too_much(
    frame, movie_rules: Rules, which: int, sign: int, pixels: int, refused: str | None
) -> None:
    vertical = np.zeros(100, np.float32)
    vertical[:pixels] = sign * 2.01
    frame[which][..., 1] = vertical.reshape(10, 10)
    assert reason(*frame, movie_rules) == refused


def test_exactly_two_pixels_are_not_more_than_two(frame, movie_rules: Rules) -> None:
    frame[0][..., 1] = 2.0
    assert reason(*frame, movie_rules) is None


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize(("span", "refused"), [(10.0, "small-range"), (10.125, None), (0.0, "small-range")])
def test_a_range_of_ten_pixels_is_too_small(frame, movie_rules: Rules, which: int, span: float, refused) -> None:
    horizontal = np.zeros((10, 10), np.float32)
    horizontal[0, 0] = -span
    frame[which][..., 0] = horizontal
    assert reason(*frame, movie_rules) == refused


@pytest.mark.parametrize(("passing", "refused"), [(70, "inconsistent-flow"), (71, None)])
def test_seventy_per_cent_in_agreement_are_too_few(frame, movie_rules: Rules, passing: int, refused) -> None:
    difference = np.full(100, 2.0, np.float32)  # exactly 2 px does not pass
    difference[:passing] = 1.99
    assert reason(frame[0], frame[1], difference.reshape(10, 10), movie_rules) == refused


def test_the_first_reason_counts(frame, movie_rules: Rules) -> None:
    bad = np.full((10, 10), 9.0, np.float32)
    tilted = np.zeros_like(frame[0])
    tilted[..., 1] = 3
    assert reason(tilted, frame[1], bad, movie_rules) == "vertical-disparity"
    assert reason(np.zeros_like(frame[0]), frame[1], bad, movie_rules) == "small-range"
    assert reason(frame[0], frame[1], bad, movie_rules) == "inconsistent-flow"


def test_a_frame_of_unknown_flow_is_refused(frame, movie_rules: Rules) -> None:
    unknown = np.full_like(frame[0], np.nan)
    assert reason(unknown, unknown, unknown[..., 0], movie_rules) == "small-range"
    assert reason(frame[0], frame[1], unknown[..., 0], movie_rules) == "inconsistent-flow"


def test_thresholds_scale_with_the_width_of_the_flow() -> None:
    rules = Rules(2.0, 0.1, 10.0, 2.0, 0.7, threshold_width=1880)
    half = rules.at_width(940)
    assert (half.vertical_px, half.range_px, half.consistent_px) == (1.0, 5.0, 1.0)
    assert (half.vertical_fraction, half.consistent_fraction) == (0.1, 0.7)
    assert half.at_width(470) == half, "scaled once"
    assert rules.at_width(1880).range_px == 10.0
    fixed = Rules(2.0, 0.1, 10.0, 2.0, 0.7)
    assert fixed.at_width(300) is fixed


def test_a_refusal_says_how_far_off_the_frame_is(frame, movie_rules: Rules) -> None:
    frame[1][:3, :, 1] = 4
    with pytest.raises(SampleError, match=r"30\.0% of the backward flow moves more than 2 px.*10% is too much"):
        check_flow(*frame, movie_rules)
