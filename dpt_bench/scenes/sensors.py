"""What depth sensors of real datasets miss: masks of the pixels that they measure, deterministic from an rng."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from dpt_bench.core.sample import Camera
from dpt_bench.scenes.labels import THIN_OR_MOVING, Label
from dpt_bench.scenes.scene import Scene

Mask = NDArray[np.bool_]
Float = NDArray[np.float32]

LIDAR_LINES = 64
LIDAR_ELEVATION_DEG = (-24.8, 2.0)
"""Velodyne HDL-64E: Geiger et al., "Vision meets robotics: the KITTI dataset", IJRR 2013, section II."""
LIDAR_RANGE_M = 80.0
LIDAR_FADES_M = 25.0
"""Beyond this distance echoes get rarer, to a third at twice the distance."""


def lidar_mask(
    depth_m: NDArray[np.floating], camera: Camera, rng: np.random.Generator, *, density: float = 0.2
) -> Mask:
    """Pixels hit by a laser of 64 scan lines on a car: rows of dots below the horizon.

    depth_m: (H, W) planar z, inf at the sky. density: share of all pixels that is hit, as in KITTI's accumulated ground
    truth; less where little is in range. Gives bool (H, W): nothing in the top 35 % of the image, nothing beyond 80 m.
    """
    height, width = depth_m.shape
    rows, columns = np.arange(height)[:, None], np.arange(width)[None, :]
    across, down = (columns - camera.cx) / camera.fx, (rows - camera.cy) / camera.fy
    elevation = np.degrees(np.arctan2(-down, np.sqrt(1 + across**2)))
    low, high = LIDAR_ELEVATION_DEG
    reached = (depth_m < LIDAR_RANGE_M) & (elevation > low) & (elevation < high) & (rows >= 0.35 * height)
    fading = np.exp(-np.maximum(np.where(reached, depth_m, 0) - LIDAR_FADES_M, 0) / LIDAR_FADES_M) * reached
    share = min(1.0, density * reached.size / max(float(fading.sum()), 1.0)) ** 0.5
    phase = (elevation - low) / (high - low) * (LIDAR_LINES - 1) + rng.uniform()
    on_line = (phase + rng.normal(0, 0.05, (1, width))) % 1 < share
    answered: Mask = reached & on_line & (rng.random((height, width)) < share * fading)
    return answered


def structured_light_holes(depth_m: NDArray[np.floating], labels: NDArray[np.uint8], rng: np.random.Generator) -> Mask:
    """Pixels measured by a Kinect: bool (H, W), 70 to 85 % of them.

    Missing: shadows of the projector beside depth edges, what is nearer than 0.5 m or farther than 8 to 10 m, glass and
    screens, shining blobs, a strip along the border.
    """
    width = depth_m.shape[1]
    limit = rng.uniform(8, 10)
    invalid = (depth_m > limit) | (depth_m < 0.5) | np.isin(labels, (Label.WINDOW, Label.SCREEN, Label.SKY))
    safe = np.minimum(depth_m, 20).astype(np.float32)
    disparity = np.float32(0.06 * width) / safe
    jump = np.abs(np.diff(disparity, axis=1, prepend=disparity[:, :1])) > np.float32(0.5)
    reach = max(3, round(width / 70))
    invalid |= cv2.dilate(jump.astype(np.uint8), np.ones((3, reach), np.uint8), anchor=(reach - 1, 1)) > 0
    strip = max(1, width // 64)
    invalid[:, :strip] = True
    invalid[:strip] = True
    return _with_blobs(invalid, rng.uniform(0.15, 0.30), rng)


def sfm_holes(scene: Scene, rng: np.random.Generator) -> Mask:
    """Pixels reconstructed from many photographs, as in MegaDepth: bool (H, W), 30 to 60 % of them.

    Missing: the sky, people and cars that moved on, thin things, the distance, and patches anywhere.
    """
    invalid = scene.sky | np.isin(scene.labels, THIN_OR_MOVING)
    thin = np.isin(scene.labels, (Label.TREE, Label.PLANT)) & (rng.random(scene.sky.shape) < 0.3)
    invalid |= thin | (scene.depth_m > np.quantile(np.minimum(scene.depth_m, 1e6), 0.97))
    return _with_blobs(invalid, rng.uniform(0.4, 0.7), rng)


def _with_blobs(invalid: Mask, share: float, rng: np.random.Generator) -> Mask:
    """The valid pixels, after blobs have raised the share of the invalid ones to `share` where it was lower."""
    height, width = invalid.shape
    missing = share - float(invalid.mean())
    if missing <= 0:
        return ~invalid
    blobs = _blobs(rng, height, width)
    open_pixels = blobs[~invalid]
    return ~(invalid | (blobs > np.quantile(open_pixels, 1 - missing * invalid.size / open_pixels.size)))


def _blobs(rng: np.random.Generator, height: int, width: int) -> Float:
    """Smooth noise with bumps of about a tenth of the image."""
    coarse = rng.random((max(3, 10 * height // width + 2), 12), dtype=np.float32)
    fine = rng.random((3 * coarse.shape[0], 36), dtype=np.float32)
    sizes = [cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC) for grid in (coarse, fine)]
    mixed: Float = np.asarray(sizes[0] + 0.4 * sizes[1], np.float32)
    return mixed
