"""How two eyes share one picture: side by side or one above the other, at full size or squeezed to half."""

from __future__ import annotations

from typing import Literal, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from dpt_bench.core.errors import SampleError
from dpt_bench.resize import resize_image

Packing = Literal["full-sbs", "half-sbs", "full-tb", "half-tb"]
"""sbs: side by side, the left half first; tb: top and bottom, the upper half first; half: each squeezed to a half."""

PACKINGS: tuple[str, ...] = get_args(Packing)
Picture = NDArray[np.uint8]


def split_eyes(picture: Picture, packing: Packing) -> tuple[Picture, Picture]:
    """The first and the second eye of a picture (H, W, 3); squeezed eyes are stretched to twice their width or height.

    Raises:
        SampleError: the picture cannot be halved.
    """
    axis = _axis(packing)
    side = picture.shape[axis]
    if side % 2:
        raise SampleError("odd-size", f"a {packing} picture of {side} px has no middle")
    first, second = np.split(picture, 2, axis=axis)
    if packing.startswith("full"):
        return first, second
    height, width = first.shape[:2]
    size = (height, 2 * width) if axis == 1 else (2 * height, width)
    return resize_image(first, size, "linear"), resize_image(second, size, "linear")


def join_eyes(first: Picture, second: Picture, packing: Packing) -> Picture:
    """One picture of two eyes of one even size (H, W, 3): the inverse of `split_eyes` but for what squeezing costs."""
    axis = _axis(packing)
    eyes = [first, second]
    if packing.startswith("half"):
        height, width = first.shape[:2]
        size = (width // 2, height) if axis == 1 else (width, height // 2)
        eyes = [cv2.resize(eye, size, interpolation=cv2.INTER_AREA).astype(np.uint8) for eye in eyes]
    return np.concatenate(eyes, axis=axis)


def _axis(packing: Packing) -> int:
    return 1 if packing.endswith("sbs") else 0
