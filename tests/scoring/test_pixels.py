"""Which pixels are scored."""

from __future__ import annotations

import numpy as np
import pytest

from dpt_bench.core.errors import SampleError
from dpt_bench.core.kinds import DepthKind
from dpt_bench.core.sample import DepthMap
from dpt_bench.scoring.pixels import crop_window, input_window, scored_pixels


def test_midas_has_no_crop(make_protocol, make_target) -> None:
    """Trap 10."""
    assert scored_pixels(make_target(np.full((375, 1242), 7.0)), make_protocol()).all()


@pytest.mark.parametrize(
    ("crop", "size", "window"),
    [
        ("garg", (375, 1242), (153, 371, 44, 1197)),
        ("eigen", (375, 1242), (124, 342, 44, 1197)),
        ("garg", (352, 1216), (143, 349, 43, 1172)),
        ("eigen", (352, 1216), (117, 321, 43, 1172)),
        ("nyu_eigen", (480, 640), (45, 471, 41, 601)),
        ("nyu_eigen_scaled", (480, 640), (45, 471, 41, 601)),
        ("nyu_eigen_scaled", (192, 256), (18, 188, 16, 240)),
    ],
)
def test_crops_in_whole_pixels(crop, size, window, make_protocol, make_target) -> None:
    """Trap 10: garg and eigen are not swapped, and fractions are truncated."""
    rows, columns = crop_window(crop, *size)
    assert (rows.start, rows.stop, columns.start, columns.stop) == window
    scored = scored_pixels(make_target(np.full(size, 5.0)), make_protocol(crop=crop))
    assert scored.sum() == (window[1] - window[0]) * (window[3] - window[2])
    assert scored[window[0], window[2]]
    assert not scored[window[0] - 1, window[2]]
    assert not scored[window[1], window[2]]


def test_the_crop_of_nyu_fits_one_size(make_protocol, make_target) -> None:
    with pytest.raises(SampleError, match="480 x 640"):
        scored_pixels(make_target(np.full((240, 320), 5.0)), make_protocol(crop="nyu_eigen"))


def test_the_scaled_benchmark_crop_is_the_same_of_a_camera_image() -> None:
    exact = input_window("kitti_benchmark", 375, 1242)
    assert exact == input_window("kitti_benchmark_scaled", 375, 1242) == (slice(23, 375), slice(13, 1229))
    assert input_window("kitti_benchmark_scaled", 128, 424) == (slice(8, 128), slice(4, 419))


def test_sky_is_not_scored(make_protocol) -> None:
    values = np.array([[3.0, np.nan, np.inf]], np.float32)
    sky = np.array([[False, True, True]])
    target = DepthMap(values, DepthKind.METRIC_DEPTH, np.ones((1, 3), bool), sky)
    assert scored_pixels(target, make_protocol()).tolist() == [[True, False, False]]


def test_affine_disparity_may_be_negative(make_protocol) -> None:
    values = np.array([[-1.0, 0.0, 1.0, np.nan]], np.float32)
    target = DepthMap(values, DepthKind.AFFINE_DISPARITY, np.isfinite(values))
    assert scored_pixels(target, make_protocol()).tolist() == [[True, True, True, False]]


def test_zero_disparity_is_infinitely_far_and_not_scored(make_protocol) -> None:
    values = np.array([[0.0, 0.2, 0.05]], np.float32)
    target = DepthMap(values, DepthKind.METRIC_DISPARITY, np.ones((1, 3), bool))
    assert scored_pixels(target, make_protocol()).tolist() == [[False, True, True]]
    assert scored_pixels(target, make_protocol(target_range_m=(0.0, 10.0))).tolist() == [[False, True, False]]
