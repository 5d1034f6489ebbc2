"""Sensor masks have the shares and the shapes of their originals."""

from __future__ import annotations

import numpy as np
import pytest

from dpt_bench.scenes import STYLES, Label, Scene, render_scene
from dpt_bench.scenes.sensors import lidar_mask, sfm_holes, structured_light_holes


@pytest.mark.parametrize("size", [(128, 424), (375, 1242)])
def test_lidar_sees_lines_below_the_horizon_and_within_range(size: tuple[int, int]) -> None:
    scene = render_scene(STYLES["kitti"].at_size(*size), 1, 0)
    mask = lidar_mask(scene.depth_m, scene.camera, np.random.default_rng(0))
    assert mask.mean() == pytest.approx(0.2, abs=0.03)
    assert not mask[: int(0.35 * size[0])].any()
    assert scene.depth_m[mask].max() <= 80


def test_lidar_without_anything_in_range_sees_nothing(street: Scene) -> None:
    far = np.full_like(street.depth_m, np.inf)
    assert not lidar_mask(far, street.camera, np.random.default_rng(0)).any()


def test_kinect_misses_what_is_far_and_glass(living_room: Scene) -> None:
    depth = np.where(np.arange(living_room.depth_m.shape[0])[:, None] < 20, np.float32(11), living_room.depth_m)
    valid = structured_light_holes(depth, living_room.labels, np.random.default_rng(2))
    assert not valid[:20].any()
    assert not valid[living_room.labels == Label.WINDOW].any()


def test_kinect_misses_15_to_30_percent() -> None:
    shares = []
    for index in range(8):
        room = render_scene(STYLES["nyu"], 6, index)
        shares.append(1 - structured_light_holes(room.depth_m, room.labels, np.random.default_rng(index)).mean())
    assert min(shares) >= 0.15
    assert np.mean(shares) < 0.32


def test_structure_from_motion_misses_sky_and_people(square: Scene) -> None:
    valid = sfm_holes(square, np.random.default_rng(0))
    assert not valid[square.sky].any()
    assert not valid[square.labels == Label.PERSON].any()
    assert 0.25 < valid.mean() < 0.62


def test_masks_follow_from_the_generator(square: Scene) -> None:
    first, again, other = (sfm_holes(square, np.random.default_rng(seed)) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
