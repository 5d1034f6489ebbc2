"""Scenes as datasets get them: the same everywhere, and geometrically true."""

from __future__ import annotations

import hashlib
import pickle
import subprocess
import sys
from dataclasses import replace
from itertools import islice

import cv2
import numpy as np
import pytest

from dpt_bench.scenes import CLASS_NAMES, STYLES, Label, Scene, render_scene, scenes_for, style_for

DIGEST = """
import hashlib
from dpt_bench.scenes import STYLES, render_scene
scene = render_scene(STYLES["redweb"].at_size(60, 80), 3, 1)
parts = (scene.image, scene.depth_m, scene.labels, scene.right.image, scene.right.flow_forward)
print(hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest())
"""


def small(name: str, index: int = 0, seed: int = 0) -> Scene:
    return render_scene(STYLES[name].at_size(72, 96), seed, index)


def test_same_in_another_process() -> None:
    scene = render_scene(STYLES["redweb"].at_size(60, 80), 3, 1)
    parts = (scene.image, scene.depth_m, scene.labels, scene.right.image, scene.right.flow_forward)
    here = hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()
    there = subprocess.run([sys.executable, "-c", DIGEST], capture_output=True, text=True, check=True)
    assert there.stdout.strip() == here


def test_seed_index_and_style_all_matter() -> None:
    scenes = [small("nyu"), small("nyu", index=1), small("nyu", seed=1), small("irs")]
    assert len({scene.image.tobytes() for scene in scenes}) == len(scenes)


def test_scene_survives_pickling_without_its_right_view() -> None:
    scene = small("tartanair")
    copy = pickle.loads(pickle.dumps(scene))
    np.testing.assert_array_equal(copy.right.image, scene.right.image)


def test_right_view_is_rendered_once_and_only_when_read() -> None:
    calls = []
    scene = small("kitti")
    scene = replace(scene, render_right=lambda: calls.append(1) or "right")  # type: ignore[arg-type, func-returns-value, return-value]
    assert not calls
    assert scene.right == scene.right == "right"  # type: ignore[comparison-overlap]
    assert calls == [1]


@pytest.mark.parametrize("name", sorted(STYLES))
def test_every_style_keeps_its_promises(name: str) -> None:
    style = STYLES[name]
    for scene in islice(scenes_for(name, 3, 9), 3):
        height, width = scene.image.shape[:2]
        assert (height, width) in style.sizes
        assert scene.image.dtype == scene.labels.dtype == np.uint8
        assert scene.depth_m.shape == scene.sky.shape == scene.labels.shape == (height, width)
        assert scene.depth_m.dtype == np.float32
        np.testing.assert_array_equal(np.isinf(scene.depth_m), scene.sky)
        np.testing.assert_array_equal(scene.labels == Label.SKY, scene.sky)
        assert scene.labels.max() < len(CLASS_NAMES)
        seen = scene.depth_m[~scene.sky]
        assert style.range_m[0] <= seen.min()
        assert seen.max() <= style.range_m[1] * 1.0001
        assert seen.max() > 1.5 * seen.min()
        assert 20 < scene.image.mean() < 235
        assert scene.image.std() > 15
        assert scene.camera.baseline_m == style.baseline_m
        if width >= height:
            assert style.focal[0] <= scene.camera.fx / width <= style.focal[1] + 1e-9


def test_at_size_shows_the_same_scene_at_another_resolution() -> None:
    coarse, fine = (render_scene(STYLES["nyu"].at_size(*size), 0, 2) for size in ((48, 64), (240, 320)))
    assert fine.image.shape == (240, 320, 3)
    assert fine.camera.fx == pytest.approx(5 * coarse.camera.fx)
    centres = fine.depth_m[2::5, 2::5]
    assert np.mean(np.abs(centres / coarse.depth_m - 1) < 1e-3) > 0.97


def test_unknown_recipe_gets_a_style_of_its_own_name() -> None:
    style = style_for("my_dataset")
    assert style.name == "my_dataset"
    assert style_for("nyu") is STYLES["nyu"]
    names = [scene.name for scene in scenes_for("my_dataset", 2, 0)]
    assert len(set(names)) == 2


def test_rooms_have_no_sky_and_streets_have_roads(street: Scene, living_room: Scene) -> None:
    assert not living_room.sky.any()
    assert (living_room.labels == Label.FLOOR).any()
    assert (street.labels == Label.ROAD).mean() > 0.02


def test_road_lies_in_one_plane_below_the_camera(street: Scene) -> None:
    rows, columns = np.nonzero(street.labels == Label.ROAD)
    z = street.depth_m[rows, columns].astype(np.float64)
    x = (columns - street.camera.cx) / street.camera.fx * z
    y = (rows - street.camera.cy) / street.camera.fy * z
    design = np.stack([x, z, np.ones_like(x)], axis=1)
    plane, *_ = np.linalg.lstsq(design, y, rcond=None)
    np.testing.assert_allclose(design @ plane, y, atol=2e-3)
    distance_m = plane[2] / np.sqrt(1 + plane[0] ** 2 + plane[1] ** 2)
    low, high = STYLES["kitti"].outlook.height_m
    assert low - 0.05 < distance_m < high + 0.05


@pytest.mark.parametrize("name", ["kitti", "nyu", "tartanair", "redweb"])
def test_flow_is_the_disparity_of_the_depth(name: str) -> None:
    scene = small(name)
    assert scene.camera.baseline_m is not None
    expected = -scene.camera.fx * scene.camera.baseline_m / scene.depth_m
    np.testing.assert_allclose(scene.right.flow_forward[..., 0], expected, rtol=1e-5)
    assert not scene.right.flow_forward[..., 1].any()
    assert not scene.right.flow_backward[..., 1].any()
    assert (scene.right.flow_forward[scene.sky] == 0).all()
    assert (scene.right.flow_backward[..., 0] >= 0).all()


def _visible(scene: Scene) -> tuple[np.ndarray, np.ndarray]:
    """Where each left pixel lands in the right view, and whether it is seen there."""
    forward, backward = scene.right.flow_forward[..., 0], scene.right.flow_backward[..., 0]
    columns = np.arange(forward.shape[1], dtype=np.float32)[None, :] + forward
    rows = np.broadcast_to(np.arange(forward.shape[0], dtype=np.float32)[:, None], columns.shape)
    back = cv2.remap(backward, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=1e6)
    return np.abs(back + forward) < 0.1, columns


@pytest.mark.parametrize("name", ["kitti", "nyu", "tartanair"])
def test_right_image_warped_by_the_flow_is_the_left_image(name: str) -> None:
    style = STYLES[name]
    silent = replace(style, look=replace(style.look, noise=0.0, vignette=0.0, blur_px=0.0))
    scene = render_scene(silent, 4, 1)
    seen, columns = _visible(scene)
    assert seen.mean() > 0.7
    rows = np.broadcast_to(np.arange(seen.shape[0], dtype=np.float32)[:, None], columns.shape)
    warped = cv2.remap(scene.right.image.astype(np.float32), columns, rows, cv2.INTER_LINEAR)
    error = np.abs(warped - scene.image).mean(axis=2)
    unmoved = np.abs(scene.right.image.astype(np.float32) - scene.image).mean(axis=2)
    assert np.median(error[seen]) < 1.5
    assert error[seen].mean() < 0.5 * unmoved[seen].mean()
