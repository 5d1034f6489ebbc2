"""Where an eye or a lamp is and which rays it sends out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dpt_bench.core.sample import Camera

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Pose:
    """Position in metres (world: x right, y up, z forward) and angles in radians.

    yaw turns to the right, pitch looks up, roll leans the head to the right.
    """

    position: Vector
    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0

    def axes(self) -> Vector:
        """(3, 3): the rows are the camera's right, down and forward in the world."""
        sin_yaw, cos_yaw = np.sin(self.yaw), np.cos(self.yaw)
        sin_pitch, cos_pitch = np.sin(self.pitch), np.cos(self.pitch)
        sin_roll, cos_roll = np.sin(self.roll), np.cos(self.roll)
        right = np.array([cos_yaw, 0.0, -sin_yaw])
        forward = np.array([sin_yaw * cos_pitch, sin_pitch, cos_yaw * cos_pitch])
        down = np.array([sin_yaw * sin_pitch, -cos_pitch, cos_yaw * sin_pitch])
        return np.stack([cos_roll * right + sin_roll * down, cos_roll * down - sin_roll * right, forward])


@dataclass(frozen=True)
class View:
    """A grid of rays: ray (row, column) is x[column] * right + y[row] * down + forward, so its length is planar z."""

    position: Vector
    axes: Vector
    x: Vector
    y: Vector

    def to_camera(self, points: Vector) -> Vector:
        """World points (..., 3) in camera coordinates."""
        return (points - self.position) @ self.axes.T


def camera_view(pose: Pose, camera: Camera, height: int, width: int, samples: int) -> View:
    """Rays through the pixels, `samples` per pixel and axis; every samples-th one is a pixel's centre."""
    x = (np.arange(width * samples) / samples - camera.cx) / camera.fx
    y = (np.arange(height * samples) / samples - camera.cy) / camera.fy
    return View(pose.position, pose.axes(), x, y)


def beside(view: View, distance_m: float) -> View:
    """The same rays from a point `distance_m` to the right."""
    return View(view.position + distance_m * view.axes[0], view.axes, view.x, view.y)


def light_view(position: Vector, target: Vector, half_angle: float, size: int) -> View:
    """What a lamp at `position` sees around `target`: size x size rays; half_angle is tan of half the opening."""
    forward = (target - position) / np.linalg.norm(target - position)
    helper = np.array([0.0, 0.0, 1.0]) if abs(forward[1]) > 0.9 else np.array([0.0, 1.0, 0.0])
    right = np.cross(helper, forward)
    right /= np.linalg.norm(right)
    slopes = np.linspace(-half_angle, half_angle, size)
    return View(position, np.stack([right, np.cross(forward, right), forward]), slopes, slopes)
