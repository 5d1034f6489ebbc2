"""Datasets that are pairs of files, image and target, found by patterns: most recipes need no reader of their own.

Options in a recipe's [layout]:

    image = "Imgs/{stem}.jpg"       a path's tail: {name} is a part of one path component, * is any part of one
    target = "RDs/{stem}.png"       image, target and masks belong together where all {names} agree; the key is made of
    masks = ["masks/{stem}.png"]    the {names} in the order of `image`, the scene of all but {stem}
    mask_above = 0                  a pixel is valid where any of the masks found is above this number
    masks_required = true           false: without a mask the stored numbers alone decide
    exclude = ["*_masked.jpg"]      names of files that are no images
    offset = 255.0                  value = offset + target.scale * stored number
    sky = 255.0                     the stored number that marks sky
    channel = "G"                   of an EXR file with several

and how images fall to splits, at most one of: {split} among the {names}, where folders are the splits; `val_scenes`,
values of any {name} but {stem}, which are held out; `val_fraction`, the share of images that is held out, those with
the smallest SHA-1 of their key. `sensor`, `example_folder` and `example_scenes` shape the example tree alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dpt_bench.core.errors import FormatError, SampleError, UsageError
from dpt_bench.core.recipe import Recipe
from dpt_bench.core.sample import Sample
from dpt_bench.core.toml import check
from dpt_bench.formats import exr, images, npy, pfm
from dpt_bench.readers import _paired_example
from dpt_bench.readers._contract import Row
from dpt_bench.readers._paired_layout import Layout, compile_pattern
from dpt_bench.readers._targets import camera_for, depth_map
from dpt_bench.readers._tree import (
    check_tree,
    empty_split,
    files_below,
    image_and_target,
    item_table,
    legal_key,
    read_decoded,
    wrong_tree,
)
from dpt_bench.scenes.scene import Scene


@dataclass
class _Item:
    values: Mapping[str, str]
    image: str | None = None
    target: str | None = None
    masks: list[str] = field(default_factory=list)

    @property
    def files(self) -> list[str]:
        assert self.image is not None
        return [self.image] if self.target is None else [self.image, self.target, *self.masks]


class Reader:
    """Patterns for image, target and masks; the module's docstring lists the options."""

    def list(self, root: Path, recipe: Recipe, split: str) -> pa.Table:
        """One row an image; an image without a target is listed too, and rejected when it is read: nothing vanishes."""
        check_tree(root, recipe, split)
        layout = check(recipe.layout, Layout, where=recipe.path)
        items = {key: item for key, item in _items(root, layout).items() if item.image is not None}
        if not any(item.target for item in items.values()):
            raise wrong_tree(root, recipe, [layout.image, layout.target])
        chosen = _of_split(items, layout, split)
        if not chosen:
            raise empty_split(root, recipe, split)
        keys = [legal_key(key) for key in chosen]
        scenes = ["/".join(items[key].values[name] for name in layout.scene_names) or key for key in chosen]
        return item_table(keys, scenes, [items[key].files for key in chosen])

    def read(self, root: Path, recipe: Recipe, row: Row) -> Sample:
        """Decode image, target and masks."""
        image_path, target_path = image_and_target(row)
        layout = check(recipe.layout, Layout, where=recipe.path)
        image = read_decoded(root, image_path, images.decode_rgb)
        stored = read_decoded(root, target_path, _decoder(recipe, layout))
        mask = _mask(root, row["files"][2:], layout, stored.shape)
        sky = None if layout.sky is None else stored == layout.sky
        target = depth_map(stored, recipe.target, offset=layout.offset, mask=mask, sky=sky)
        return Sample(row["key"], image, target, tuple(row["files"]), camera_for(recipe, *image.shape[:2]))

    def write_example(self, root: Path, recipe: Recipe, scenes: Iterable[Scene]) -> None:
        """Files under the patterns of the recipe, with the defects of its `sensor`."""
        _paired_example.write(root, recipe, check(recipe.layout, Layout, where=recipe.path), scenes)


def _items(root: Path, layout: Layout) -> dict[str, _Item]:
    image, target = compile_pattern(layout.image), compile_pattern(layout.target)
    masks = [compile_pattern(pattern) for pattern in layout.masks]
    items: dict[str, _Item] = {}
    for path in sorted(files_below(root)):
        for role in (image, target, *masks):
            match = role.fullmatch(path)
            if match is None:
                continue
            item = items.setdefault("/".join(match[name] for name in layout.names), _Item(match.groupdict()))
            if role is target:
                item.target = item.target or path
            elif role is not image:
                item.masks.append(path)
            elif not any(fnmatchcase(path.rpartition("/")[2], pattern) for pattern in layout.exclude):
                item.image = item.image or path
    return items


def _of_split(items: Mapping[str, _Item], layout: Layout, split: str) -> list[str]:
    if "split" in layout.names:
        return [key for key, item in items.items() if item.values["split"] == split]
    if layout.val_scenes:
        held_out = set(layout.val_scenes)
        return [
            key
            for key, item in items.items()
            if (not held_out.isdisjoint(item.values[name] for name in layout.scene_names)) == (split == "val")
        ]
    if layout.val_fraction is not None:
        ranked = sorted(items, key=lambda key: hashlib.sha1(key.encode(), usedforsecurity=False).digest())
        num_val = max(1, round(len(ranked) * layout.val_fraction))
        return ranked[:num_val] if split == "val" else ranked[num_val:]
    return list(items)


def _decoder(recipe: Recipe, layout: Layout) -> Callable[[bytes], NDArray[Any]]:
    decoders: dict[str, Callable[[bytes], NDArray[Any]]] = {
        "png8": lambda data: _grey(data, np.uint8),
        "png16": lambda data: _grey(data, np.uint16),
        "exr": lambda data: exr.decode(data, layout.channel),
        "pfm": pfm.decode,
        "npy": npy.decode,
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
