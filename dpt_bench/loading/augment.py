"""From a sample to the square view that a network trains on: resize, crop, flip."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dpt_bench.loading.photometric import changes_colours, recoloured
from dpt_bench.loading.randomness import Stream
from dpt_bench.resize import resize_image
from dpt_bench.shards.codec import CodedSample

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

    The papers do no more; what follows is off unless asked for.
    zoom: with "shorter-side" and "literal", that side becomes `size` times up to this before the square is taken.
    colour: brightness, contrast and saturation change by a factor within 1 - colour and 1 + colour, and hues by as
        much of 36 degrees. greyscale, blur: probabilities of a view without colour, and of a Gaussian blur.
    """

    rule: CropRule = "shorter-side"
    size: int = 384
    flip: float = 0.5
    smallest_crop: float = 0.5
    zoom: float = 1.0
    colour: float = 0.0
    greyscale: float = 0.0
    blur: float = 0.0


class View(NamedTuple):
    """What is cut from a sample, or all of it.

    image: RGB uint8 (H, W, 3). codes: uint16 (H, W), the target as shards hold it. mirrored: yet to be, left for
        right, where the view is copied anyway.
    """

    image: NDArray[np.uint8]
    codes: NDArray[np.uint16]
    mirrored: bool = False

    @property
    def height(self) -> int:
        return int(self.image.shape[0])

    @property
    def width(self) -> int:
        return int(self.image.shape[1])


def whole_view(sample: CodedSample) -> View:
    """The uncut view of a sample."""
    return View(sample.image, sample.codes)


def training_view(sample: CodedSample, options: AugmentOptions, stream: Stream) -> View:
    """A random square view; the same stream gives the same view."""
    across, down, side, flip = stream.uniform(4).tolist()
    view = whole_view(sample)
    if options.rule == "literal":
        view = _resize_longer(view, round(options.size * options.zoom**side))
        view = _pad(_crop(view, options.size, across, down), options.size, across, down)
    elif options.rule == "crop-then-resize":
        shorter = min(view.height, view.width)
        wanted = options.smallest_crop + (1.0 - options.smallest_crop) * side
        view = _crop(view, min(shorter, max(1, round(shorter * wanted))), across, down)
        view = _resize(view, options.size, options.size)
    else:
        shorter = round(options.size * options.zoom**side)
        view = _crop(_resize_shorter(view, shorter), options.size, across, down)
    if changes_colours(options):
        view = view._replace(image=recoloured(view.image, options, stream))
    return view._replace(mirrored=flip < options.flip)


def centre_view(sample: CodedSample, size: int) -> View:
    """The central square after the shorter side was brought to `size`: what validation looks at."""
    return _crop(_resize_shorter(whole_view(sample), size), size, 0.5, 0.5)


def _resize_shorter(view: View, size: int) -> View:
    scale = size / min(view.height, view.width)
    return _resize(view, max(size, round(view.height * scale)), max(size, round(view.width * scale)))


def _resize_longer(view: View, size: int) -> View:
    scale = size / max(view.height, view.width)
    return _resize(view, max(1, round(view.height * scale)), max(1, round(view.width * scale)))


def _resize(view: View, height: int, width: int) -> View:
    """Image by area or cubic interpolation; of the target the pixel at each centre, never a mixture."""
    size = (height, width)
    if size == (view.height, view.width):
        return view
    shrinks = height <= view.height and width <= view.width
    image = resize_image(view.image, size, "area" if shrinks else "cubic")
    return View(image, resize_image(view.codes, size, "nearest"))


def _crop(view: View, side: int, across: float, down: float) -> View:
    """A square; of a view that is smaller in a direction, all that it has there."""
    height, width = min(side, view.height), min(side, view.width)
    top, left = int(down * (view.height - height + 1)), int(across * (view.width - width + 1))
    rows, columns = slice(top, top + height), slice(left, left + width)
    return View(view.image[rows, columns], view.codes[rows, columns])


def _pad(view: View, size: int, across: float, down: float) -> View:
    top, left = int(down * (size - view.height + 1)), int(across * (size - view.width + 1))
    rows, columns = slice(top, top + view.height), slice(left, left + view.width)
    image = np.full((size, size, 3), GREY, dtype=np.uint8)
    codes = np.zeros((size, size), dtype=view.codes.dtype)
    image[rows, columns], codes[rows, columns] = view.image, view.codes
    return View(image, codes)
