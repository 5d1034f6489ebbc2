"""MegaDepth v1: internet photos with depth from structure from motion, one HDF5 file an image."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dpt_bench.core.errors import SampleError
from dpt_bench.core.recipe import Recipe
from dpt_bench.core.sample import Sample
from dpt_bench.core.toml import Strict, check
from dpt_bench.formats import hdf5, images
from dpt_bench.readers import _example
from dpt_bench.readers._contract import Row
from dpt_bench.readers._targets import camera_for, depth_map
from dpt_bench.readers._tree import (
    check_tree,
    empty_split,
    files_below,
    image_and_target,
    legal_key,
    pair_table,
    read_decoded,
    wrong_tree,
)
from dpt_bench.scenes.scene import Scene
from dpt_bench.scenes.sensors import sfm_holes

FILE = re.compile(r"(?:.*/)?(\d{4})/(dense\d+)/(imgs|depths)/([^/]+)\.([^./]+)")
"""Scene, reconstruction, kind, stem and ending, below any folder: archives nest phoenix/S6/zl548/MegaDepth_v1."""

IMAGE_ENDINGS = ("jpg", "jpeg", "png")
POSITIVE = 1e-8
MIN_PIXELS = 10
MAX_ORDINAL_CODES = 8
TRAIN_SCENES = ("0000", "0001", "0004")


class Layout(Strict):
    """dataset: the HDF5 name of the depth; val_scenes: four-digit folders held out of training."""

    dataset: str
    val_scenes: list[str]


class Reader:
    """<scene>/dense<k>/imgs/<id>.jpg with <scene>/dense<k>/depths/<id>.h5, at any depth below the root."""

    def list(self, root: Path, recipe: Recipe, split: str) -> pa.Table:
        """One row an image, by the folder's name alone; ordinal files are found out when they are read."""
        check_tree(root, recipe, split)
        layout = check(recipe.layout, Layout, where=recipe.path)
        found: dict[str, dict[str, str]] = {"imgs": {}, "depths": {}}
        scenes: dict[str, str] = {}
        for path in sorted(files_below(root)):
            match = FILE.fullmatch(path)
            if match is None or not _belongs(match[3], match[5]):
                continue
            key = legal_key(f"{match[1]}/{match[2]}/{match[4]}")
            found[match[3]].setdefault(key, path)
            scenes[key] = match[1]
        if not found["imgs"].keys() & found["depths"].keys():
            raise wrong_tree(root, recipe, ["<4 digits>/dense<k>/imgs/<id>.jpg", "<4 digits>/dense<k>/depths/<id>.h5"])
        val = set(layout.val_scenes)
        chosen, targets = (
            {key: path for key, path in found[kind].items() if (scenes[key] in val) == (split == "val")}
            for kind in ("imgs", "depths")
        )
        if not chosen:
            raise empty_split(root, recipe, split)
        return pair_table(chosen, targets, scenes)

    def read(self, root: Path, recipe: Recipe, row: Row) -> Sample:
        """Decode an image and its depth; ordinal maps are refused, outliers removed.

        Raises:
            SampleError: "ordinal-target" where the file holds classes in the place of depth; others.
        """
        image_path, depth_path = image_and_target(row)
        layout = check(recipe.layout, Layout, where=recipe.path)
        depth = read_decoded(root, depth_path, lambda data: hdf5.decode(data, layout.dataset)).astype(
            np.float32, copy=False
        )
        if is_ordinal(depth):
            raise SampleError("ordinal-target", "the HDF5 file holds an ordinal map, not depth", where=depth_path)
        image = read_decoded(root, image_path, images.decode_rgb)
        target = depth_map(remove_outliers(depth), recipe.target)
        return Sample(row["key"], image, target, (image_path, depth_path), camera_for(recipe, *image.shape[:2]))

    def write_example(self, root: Path, recipe: Recipe, scenes: Iterable[Scene]) -> None:
        """Scenes of unknown scale with holes, some photos in grey, and one ordinal file."""
        layout = check(recipe.layout, Layout, where=recipe.path)
        count = 0
        for scene in scenes:
            names = layout.val_scenes if _example.validates(scene) else TRAIN_SCENES
            folder = f"MegaDepth_v1/{names[scene.index // 2 % len(names)]}/dense{scene.index % 2}"
            stem = f"{3382618227 + scene.index}_{scene.index * 2654435761 % 2**40:010x}_o"
            _write_photo(root, f"{folder}/imgs/{stem}", scene)
            valid = sfm_holes(scene, _example.defects(recipe, scene)) & np.isfinite(scene.depth_m)
            depth = np.where(valid, scene.depth_m * _scale_of(folder), 0).astype(np.float32)
            _example.write_file(root, f"{folder}/depths/{stem}.h5", hdf5.encode({layout.dataset: depth}))
            if count == 0:
                _example.write_file(root, f"{folder}/imgs/ordinal_{stem}.jpg", images.encode_jpeg(scene.image))
                ordinal = np.where(scene.sky, 0, 1 + (scene.depth_m > 10)).astype(np.float32)
                _example.write_file(root, f"{folder}/depths/ordinal_{stem}.h5", hdf5.encode({layout.dataset: ordinal}))
            count += 1
        _example.write_marker(root, recipe, count)


def is_ordinal(depth: NDArray[np.float32]) -> bool:
    """Whether a map holds ordinal or semantic classes under the name of depth.

    COTR drops maps with negative numbers; a user reports the whole numbers 0 to 3 (MegaDepth issue 38).
    """
    stored = depth[depth != 0]
    if stored.size == 0:
        return False
    if stored.min() < 0:
        return True
    head = stored[: 8 * MAX_ORDINAL_CODES]  # real depth is told from classes by its first few numbers
    if np.any(head != np.rint(head)):
        return False
    codes = np.unique(stored)
    return codes.size <= MAX_ORDINAL_CODES and bool(np.all(codes == np.rint(codes)))


def remove_outliers(depth: NDArray[np.float32]) -> NDArray[np.float32]:
    """Zero the farthest 2 % and then the nearest 1 % of what is left.

    The order is that of the authors' data/image_folder.py, which MiDaS uses: the 1st percentile is taken of the depth
    that the 98th has already thinned, so it lies lower than the 1st percentile of the whole.
    """
    kept = np.where(depth > POSITIVE, depth, 0)
    present = kept[kept > 0]
    if present.size <= MIN_PIXELS:
        return kept
    far = np.percentile(present, 98)
    kept[kept > far] = 0
    kept[kept < np.percentile(present[present <= far], 1)] = 0
    return kept


def _belongs(kind: str, ending: str) -> bool:
    return ending.lower() in (IMAGE_ENDINGS if kind == "imgs" else ("h5",))


def _scale_of(folder: str) -> float:
    """Units a metre of a reconstruction: structure from motion knows no scale."""
    scene, dense = folder.split("/")[1:]
    return float(10 ** (int(scene) * 7 % 19 / 9 - 1 + 0.1 * int(dense[-1])))


def _write_photo(root: Path, path: str, scene: Scene) -> None:
    if scene.index % 16 == 5:  # some of the photos are grey, some are PNG files
        grey = np.round(scene.image.mean(axis=2)).astype(np.uint8)
        _example.write_file(root, f"{path}.png", images.encode_png(grey))
    else:
        _example.write_file(root, f"{path}.jpg", images.encode_jpeg(scene.image))
