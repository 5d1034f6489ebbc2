"""From light to a picture: antialiasing, exposure, grading, lens and noise."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dpt_bench.scenes.raycast.noise import Float

Range = tuple[float, float]

SAMPLES = 2
"""Rays per pixel and axis. Every second one goes through a pixel's centre and gives its depth; all give its colour."""

_TENT = np.array([0.25, 0.5, 0.25], np.float32)
_LUMA = np.array([0.3, 0.59, 0.11], np.float32)


@dataclass(frozen=True)
class Look:
    """How pictures of a dataset are graded; 1 is neutral.

    warmth: red against blue, 0 is neutral. noise: deviation in 8-bit steps. vignette: darkening of the corners.
    """

    exposure: Range = (0.85, 1.15)
    contrast: Range = (0.95, 1.1)
    saturation: Range = (0.9, 1.1)
    warmth: Range = (-0.04, 0.04)
    noise: float = 2.0
    vignette: float = 0.12
    blur_px: float = 0.0


def draw_grade(look: Look, rng: np.random.Generator) -> Float:
    """Exposure, contrast, saturation and warmth of one scene, float32 (4,); both eyes are developed alike."""
    spans = (look.exposure, look.contrast, look.saturation, look.warmth)
    return np.array([rng.uniform(*span) for span in spans], np.float32)


def develop(light: Float, look: Look, grade: Float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """A picture, uint8 (H, W, 3), of linear light on the grid of rays, float32 (H * SAMPLES, W * SAMPLES, 3)."""
    filtered = cv2.sepFilter2D(light, -1, _TENT, _TENT, borderType=cv2.BORDER_REPLICATE)[::SAMPLES, ::SAMPLES]
    exposure, contrast, saturation, warmth = grade
    tint = np.array([1 + warmth, 1, 1 - warmth], np.float32) * exposure
    image = np.sqrt(_shoulder(filtered.astype(np.float32) * tint))
    grey = (image @ _LUMA)[..., None]
    image = grey + (image - grey) * saturation
    image = np.float32(0.45) + (image - np.float32(0.45)) * contrast
    image *= 255 * _vignette(image.shape[0], image.shape[1], look.vignette)[..., None]
    if look.blur_px:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), look.blur_px), np.float32)
    image += np.float32(look.noise) * rng.standard_normal(image.shape, dtype=np.float32)
    picture: NDArray[np.uint8] = np.clip(np.round(image), 0, 255).astype(np.uint8)
    return picture


def _shoulder(light: Float) -> Float:
    """Keeps highlights from clipping: linear up to 0.6, then bending towards 1."""
    knee, span = np.float32(0.6), np.float32(0.4)
    over = np.maximum(light - knee, 0)
    bent: Float = np.minimum(light, knee) + span * over / (over + span)
    return bent


def _vignette(height: int, width: int, strength: float) -> Float:
    rows, columns = (np.linspace(-1, 1, length, dtype=np.float32) ** 2 for length in (height, width))
    return 1 - np.float32(strength / 2) * (rows[:, None] + columns[None, :])
