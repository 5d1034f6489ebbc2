"""From a sample to the square view that a network trains on: resize, crop, flip."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dpt_bench.loading.randomness import Stream
from dpt_bench.resize import pick_pixels, resize_image
from dpt_bench.shards import ShardSample

CropRule = Literal["shorter-side", "crop-then-resize", "literal"]
GREY = 128


@dataclass(frozen=True)
class AugmentOptions:
    """How training views are cut.

    rule: DPT states "we resize the image such that the longer side is 384 pixels and train on random square crops of
        size 384" (sec. 4.1), which leaves nothing to crop. "shorter-side" (default) brings the shorter side to `size`
        and takes a random square; "crop-then-resize" cuts a random square, its side uniform between `smallest_crop`
        and 1 times the shorter side, and resizes it ("randomly cropped and resized", MiDaS sec. 6); "literal" brings
        the longer side to `size` and fills the square with grey, invalid pixels.
    flip: probability of a horizontal flip (both papers: 50 %).
    """

    rule: CropRule = "shorter-side"
    size: int = 384
    flip: float = 0.5
    smallest_crop: float = 0.5


@dataclass(frozen=True)
class View:
    """image: RGB uint8 (S, S, 3). target: float32 (S, S), NaN = invalid. sky: bool (S, S)."""

    image: NDArray[np.uint8]
    target: NDArray[np.float32]
    sky: NDArray[np.bool_]

    @property
    def height(self) -> int:
        return int(self.image.shape[0])

    @property
    def width(self) -> int:
        return int(self.image.shape[1])


def whole_view(sample: ShardSample) -> View:
    """The uncut view of a sample of a depth shard."""
    assert sample.inverse_depth is not None, "a segmentation shard has no depth to train on"
    sky = np.zeros(sample.inverse_depth.shape, dtype=bool) if sample.sky is None else sample.sky
    return View(sample.image, sample.inverse_depth, sky)


def training_view(sample: ShardSample, options: AugmentOptions, stream: Stream) -> View:
    """A random square view; the same stream gives the same view."""
    across, down, side, flip = stream.uniform(4)
    view = whole_view(sample)
    if options.rule == "literal":
        view = _pad(_resize_longer(view, options.size), options.size, across, down)
    elif options.rule == "crop-then-resize":
        shorter = min(view.height, view.width)
        wanted = options.smallest_crop + (1.0 - options.smallest_crop) * side
        view = _crop(view, min(shorter, max(1, round(shorter * wanted))), across, down)
        view = _resize(view, options.size, options.size)
    else:
        view = _crop(_resize_shorter(view, options.size), options.size, across, down)
    return _flipped(view) if flip < options.flip else view


def centre_view(sample: ShardSample, size: int) -> View:
    """The central square after the shorter side was brought to `size`: what validation looks at."""
    return _crop(_resize_shorter(whole_view(sample), size), size, 0.5, 0.5)


def _resize_shorter(view: View, size: int) -> View:
    scale = size / min(view.height, view.width)
    return _resize(view, max(size, round(view.height * scale)), max(size, round(view.width * scale)))


def _resize_longer(view: View, size: int) -> View:
    scale = size / max(view.height, view.width)
    return _resize(view, max(1, round(view.height * scale)), max(1, round(view.width * scale)))


def _resize(view: View, height: int, width: int) -> View:
    """Image by area or cubic interpolation; of the target and the sky the pixel at each centre, never a mixture."""
    size = (height, width)
    if size == (view.height, view.width):
        return view
    shrinks = height <= view.height and width <= view.width
    image = resize_image(view.image, size, "area" if shrinks else "cubic")
    if shrinks:
        return View(image, pick_pixels(view.target, size), pick_pixels(view.sky, size))
    sky = resize_image(view.sky.view(np.uint8), size, "nearest").view(np.bool_)
    return View(image, resize_image(view.target, size, "nearest"), sky)


def _crop(view: View, side: int, across: float, down: float) -> View:
    top, left = int(down * (view.height - side + 1)), int(across * (view.width - side + 1))
    rows, columns = slice(top, top + side), slice(left, left + side)
    return View(view.image[rows, columns], view.target[rows, columns], view.sky[rows, columns])


def _pad(view: View, size: int, across: float, down: float) -> View:
    top, left = int(down * (size - view.height + 1)), int(across * (size - view.width + 1))
    rows, columns = slice(top, top + view.height), slice(left, left + view.width)
    image = np.full((size, size, 3), GREY, dtype=np.uint8)
    target = np.full((size, size), np.nan, dtype=np.float32)
    sky = np.zeros((size, size), dtype=bool)
    image[rows, columns], target[rows, columns], sky[rows, columns] = view.image, view.target, view.sky
    return View(image, target, sky)


def _flipped(view: View) -> View:
    return View(view.image[:, ::-1], view.target[:, ::-1], view.sky[:, ::-1])
