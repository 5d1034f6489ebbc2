"""The styles keep evaluation honest: neither one depth for all nor "lower is nearer" explains their scenes."""

from __future__ import annotations

import numpy as np
import pytest

from dpt_bench.scenes import STYLES, render_scene
from dpt_bench.scenes.sensors import lidar_mask


def _bad_share(prediction: np.ndarray, disparity: np.ndarray, cap_m: float) -> float:
    """Share of pixels more than 25 % off after a least-squares fit in disparity."""
    design = np.stack([prediction, np.ones_like(prediction)], axis=1)
    fit, *_ = np.linalg.lstsq(design, disparity, rcond=None)
    ratio = np.maximum(design @ fit, 1 / cap_m) / disparity
    return float((np.maximum(ratio, 1 / ratio) > 1.25).mean())


@pytest.mark.parametrize(("name", "cap_m"), [("kitti", 80.0), ("nyu", 10.0), ("tum", 10.0)])
def test_baselines_fail_on_the_evaluation_styles(name: str, cap_m: float) -> None:
    shares = []
    for index in range(12):
        scene = render_scene(STYLES[name].at_size(96, 128 if name != "kitti" else 318), 2, index)
        usable = scene.depth_m < cap_m
        if name == "kitti":
            usable = lidar_mask(scene.depth_m, scene.camera, np.random.default_rng(index))
        height = np.broadcast_to(np.arange(96.0)[:, None], usable.shape)[usable] / 96
        disparity = 1 / scene.depth_m[usable].astype(np.float64)
        shares.append([_bad_share(guess, disparity, cap_m) for guess in (np.zeros_like(height), height)])
    constant, ramp = np.mean(shares, axis=0)
    assert 0.35 < ramp < 0.65
    assert 0.4 < constant < 0.8
    assert ramp < constant


def test_at_size_changes_nothing_but_the_size() -> None:
    style = STYLES["megadepth"]
    wide = style.at_size(100, 150)
    assert (wide.height, wide.width) == (100, 150)
    assert wide.contents == style.contents
    assert len(style.sizes) > 1
