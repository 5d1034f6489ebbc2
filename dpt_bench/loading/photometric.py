"""Changes of an image's colours and sharpness that leave its geometry, and so its target, alone."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from dpt_bench.loading.randomness import Stream

if TYPE_CHECKING:
    from dpt_bench.loading.augment import AugmentOptions

LUMA = np.array([0.299, 0.587, 0.114])
"""Shares of red, green and blue in the grey of an image (ITU-R BT.601)."""
FULL_HUE = math.pi / 5
"""The turn of the colour circle at a jitter of 1."""
SIGMA = (0.5, 2.0)
"""Of the blur, in pixels of the view."""


def changes_colours(options: AugmentOptions) -> bool:
    """Whether `recoloured` would do anything."""
    return max(options.colour, options.greyscale, options.blur) > 0


def recoloured(image: NDArray[np.uint8], options: AugmentOptions, stream: Stream) -> NDArray[np.uint8]:
    """The image (H, W, 3) with its colours jittered, at times grey or blurred; the same stream changes it the same."""
    *jitter, grey, blur, softness = stream.uniform(7).tolist()
    if options.colour or grey < options.greyscale:
        brightness, contrast, saturation, hue = (options.colour * (2 * number - 1) for number in jitter)
        matrix = (1 + brightness) * _hue(hue) @ _saturation(0.0 if grey < options.greyscale else 1 + saturation)
        centre = LUMA @ matrix @ np.array(cv2.mean(image)[:3])  # contrast keeps the mean grey as it is
        affine = np.column_stack([(1 + contrast) * matrix, np.full(3, -contrast * centre)])
        image = cv2.transform(image, affine).astype(np.uint8, copy=False)
    if blur < options.blur:
        image = cv2.GaussianBlur(image, (0, 0), SIGMA[0] + (SIGMA[1] - SIGMA[0]) * softness).astype(
            np.uint8, copy=False
        )
    return image


def _saturation(factor: float) -> NDArray[np.float64]:
    """Colours moved away from their grey, or towards it."""
    return factor * np.eye(3) + (1 - factor) * np.tile(LUMA, (3, 1))


def _hue(share: float) -> NDArray[np.float64]:
    """A turn about the axis of greys (Rodrigues' formula)."""
    cosine, sine = math.cos(FULL_HUE * share), math.sin(FULL_HUE * share)
    across = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / math.sqrt(3)
    return cosine * np.eye(3) + sine * across + (1 - cosine) * np.full((3, 3), 1 / 3)
