"""Datasets that are pairs of files, image and target, found by patterns: most recipes need no reader of their own.

Options in a recipe's [layout]:

    image = "Imgs/{stem}.jpg"       a path's tail: {name} is a part of one path component, * is any part of one
    target = "RDs/{stem}.png"       image, target and masks belong together where their {names} agree; the key is made
    masks = ["masks/{stem}.png"]    of the {names} in the order of `image`, the scene of all but {stem}
    mask_above = 0                  a pixel is valid where any of the masks found is above this number
    masks_required = true           false: without a mask the stored numbers alone decide
    exclude = ["_masked.jpg"]       tails of paths that are no images; * and ? stand for any characters
    known_bad = ["scene/l_377.png"] tails of paths of images that are rejected
    offset = 255.0                  value = offset + target.scale * stored number
    sky = 255.0                     the stored number that marks sky
    channel = "G"                   of an EXR file with several
    disparity_in_pixels = false     true: an image with a disparity above its own width is rejected
    fit_target_to_image = false     true: a target of another size but the same aspect is brought to the image's
    min_valid_fraction = 0.0        an image with fewer valid pixels is rejected

and how images fall to splits: a list file of the recipe's [splits], in which groups are scenes and numbers are stems
(a split without a list has the images that no list has), and at most one of: {split} among the {names}, where folders
are the splits; `val_scenes`, values of any {name} but {stem}, which are held out; `val_fraction`, the share of images
that is held out, those with the smallest SHA-1 of their key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dpt_bench.core.errors import FormatError, SampleError, UsageError
from dpt_bench.core.recipe import Recipe
from dpt_bench.core.sample import DepthMap, Sample
from dpt_bench.core.toml import check
from dpt_bench.formats import exr, images, npy, pfm, raw_float32, sintel_dpt
from dpt_bench.readers import _paired_example
from dpt_bench.readers._contract import Row
from dpt_bench.readers._paired_layout import Layout
from dpt_bench.readers._paired_search import left_out, matches, of_split, scene_of, search
from dpt_bench.readers._targets import camera_for, depth_map, fit_nearest
from dpt_bench.readers._tree import (
    check_tree,
    empty_split,
    image_and_target,
    item_table,
    legal_key,
    read_decoded,
    remarks,
    wrong_tree,
)
from dpt_bench.scenes.scene import Scene


class Reader:
    """Patterns for image, target and masks; the module's docstring lists the options."""

    def list(self, root: Path, recipe: Recipe, split: str) -> pa.Table:
        """One row an image; one without a target is listed too, and rejected when it is read: nothing vanishes.

        Remarks tell of targets without an image, of images in two places, in no split, or listed and not there.
        """
        check_tree(root, recipe, split)
        layout = check(recipe.layout, Layout, where=recipe.path)
        found = search(root, layout)
        if all(found.target(values) is None for values in found.images):
            raise wrong_tree(root, recipe, [layout.image, layout.target])
        chosen = of_split(list(found.images), recipe, layout, split)
        if not chosen:
            raise empty_split(root, recipe, split)
        keys = [legal_key("/".join(values)) for values in chosen]
        scenes = [scene_of(values, layout) for values in chosen] if layout.scene_names else keys
        files = [found.files(values) for values in chosen]
        return item_table(keys, scenes, files, metadata=remarks(*left_out(found, recipe, layout, split)))

    def read(self, root: Path, recipe: Recipe, row: Row) -> Sample:
        """Decode image, target and masks.

        Raises:
            SampleError: "known-bad", "implausible-target", "too-few-valid" by the options of the layout; others.
        """
        image_path, target_path = image_and_target(row)
        layout = check(recipe.layout, Layout, where=recipe.path)
        if matches(image_path, layout.known_bad):
            raise SampleError("known-bad", "the recipe lists this image as bad", where=image_path)
        image = read_decoded(root, image_path, images.decode_rgb)
        height, width = image.shape[:2]
        stored = read_decoded(root, target_path, _decoder(recipe, layout, height, width))
        mask = _mask(root, row["files"][2:], layout, stored.shape)
        if layout.fit_target_to_image:
            stored = fit_nearest(stored, height, width)
            mask = None if mask is None else fit_nearest(mask, height, width)
        sky = None if layout.sky is None else stored == layout.sky
        target = depth_map(stored, recipe.target, offset=layout.offset, mask=mask, sky=sky)
        _check_plausible(stored, target, layout, target_path)
        return Sample(row["key"], image, target, tuple(row["files"]), camera_for(recipe, height, width))

    def write_example(self, root: Path, recipe: Recipe, scenes: Iterable[Scene]) -> None:
        """Files under the patterns of the recipe, with the defects of its `sensor`."""
        _paired_example.write(root, recipe, check(recipe.layout, Layout, where=recipe.path), scenes)


def _decoder(recipe: Recipe, layout: Layout, height: int, width: int) -> Callable[[bytes], NDArray[Any]]:
    decoders: dict[str, Callable[[bytes], NDArray[Any]]] = {
        "png8": lambda data: _grey(data, np.uint8),
        "png16": lambda data: _grey(data, np.uint16),
        "exr": lambda data: _only_or_named_channel(data, layout.channel),
        "pfm": pfm.decode,
        "npy": npy.decode,
        "sintel_dpt": sintel_dpt.decode,
        "raw_float32": lambda data: raw_float32.decode(data, height=height, width=width),
    }
    if recipe.target.format not in decoders:
        raise UsageError(
            f"paired_files cannot read target.format = {recipe.target.format!r}",
            where=recipe.path,
            fix=f"write one of {', '.join(decoders)}, or a reader",
        )
    return decoders[recipe.target.format]


def _grey(data: bytes, dtype: type[np.generic]) -> NDArray[Any]:
    codes = images.decode_gray(data)
    if codes.dtype != dtype:  # a scale meant for other bits would be wrong without a word
        raise FormatError(f"the target has {codes.dtype} codes, the recipe says {np.dtype(dtype)}")
    return codes


def _only_or_named_channel(data: bytes, channel: str | None) -> NDArray[np.float32]:
    try:
        return exr.decode(data)
    except FormatError:
        if channel is None:
            raise
    return exr.decode(data, channel)


def _mask(root: Path, paths: list[str], layout: Layout, shape: tuple[int, ...]) -> NDArray[np.bool_] | None:
    if layout.masks and layout.masks_required and not paths:
        raise SampleError("missing-mask", f"no mask was found: looked for {' or '.join(layout.masks)}")
    union: NDArray[np.bool_] | None = None
    for path in paths:
        codes = read_decoded(root, path, images.decode_gray)
        if codes.shape != shape:
            raise SampleError("shape-mismatch", f"mask is {codes.shape} but its target is {shape}", where=path)
        part = codes > layout.mask_above
        union = part if union is None else union | part
    return union


def _check_plausible(stored: NDArray[Any], target: DepthMap, layout: Layout, path: str) -> None:
    if target.valid.mean() < layout.min_valid_fraction:
        what = f"{target.valid.mean():.1%} of the pixels are valid, less than {layout.min_valid_fraction:.0%}"
        raise SampleError("too-few-valid", what, where=path)
    if layout.disparity_in_pixels and target.valid.any():
        largest, width = stored[target.valid].max(), stored.shape[1]
        if largest > width:
            what = f"a disparity of {largest:g} px in an image of {width} px: the map is scaled wrongly"
            raise SampleError("implausible-target", what, where=path)
