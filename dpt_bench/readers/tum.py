"""TUM RGB-D: the MannequinChallenge HDF5 files of the MiDaS protocol, and raw sequences."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dpt_bench.core.errors import FormatError, SampleError
from dpt_bench.core.recipe import Recipe
from dpt_bench.core.sample import Camera, Sample
from dpt_bench.core.toml import Strict, check
from dpt_bench.formats import hdf5
from dpt_bench.readers import _example, _tum_raw
from dpt_bench.readers._contract import Row
from dpt_bench.readers._splits import load_split_list
from dpt_bench.readers._targets import camera_for, depth_map
from dpt_bench.readers._tree import check_tree, empty_split, files_below, item_table, read_source
from dpt_bench.scenes.scene import Scene
from dpt_bench.scenes.sensors import structured_light_holes

IMAGE, DEPTH, INTRINSICS = "gt/img_1", "gt/gt_depth", "gt/intrinsic"
FILE = re.compile(r"(?:.*/)?([\w-]{11})_(\d+)\.jpg\.h5")
FRAMES_PER_S = 30
EXAMPLE_SEQUENCE = "rgbd_dataset_freiburg3_walking_xyz"
EVERY_NTH_RAW = 4


class Layout(Strict):
    """raw_split: the split that reads raw sequences; raw_scale: metres a code; raw_window_s: association window."""

    raw_split: str
    raw_scale: float
    raw_window_s: float


class Reader:
    """<clip>_<microseconds>.jpg.h5 files by the list; rgbd_dataset_* sequences where asked for, or where alone."""

    def list(self, root: Path, recipe: Recipe, split: str) -> pa.Table:
        """One row a listed HDF5 file that is there, or one row a colour image that has a depth map close in time."""
        check_tree(root, recipe, split)
        layout = check(recipe.layout, Layout, where=recipe.path)
        below = sorted(files_below(root))
        if split == layout.raw_split or not any(FILE.fullmatch(path) for path in below):
            return _tum_raw.list_sequences(root, recipe, layout.raw_window_s, below)
        listed = {
            (clip, microseconds(frame)) for clip, frames in load_split_list(recipe, split).items() for frame in frames
        }
        found: dict[str, tuple[str, str]] = {}
        for path in below:
            match = FILE.fullmatch(path)
            if match is not None and (match[1], int(match[2])) in listed:
                found.setdefault(f"{match[1]}/{match[2]}", (match[1], path))
        if not found:
            raise empty_split(root, recipe, split)
        remarks = {"listed": str(len(listed)), "missing": str(len(listed) - len(found))}
        clips, paths = zip(*found.values(), strict=True)
        return item_table(list(found), clips, [(path,) for path in paths], metadata=remarks)

    def read(self, root: Path, recipe: Recipe, row: Row) -> Sample:
        """Decode an HDF5 file, or a pair of PNG files."""
        if len(row["files"]) == 2:
            layout = check(recipe.layout, Layout, where=recipe.path)
            return _tum_raw.read_pair(root, recipe, row, layout.raw_scale)
        (place,) = row["files"]
        data = read_source(root, place)
        image = _as_rgb(hdf5.decode(data, IMAGE), place)
        depth = np.asarray(hdf5.decode(data, DEPTH), np.float32)
        target = depth_map(depth, recipe.target)
        return Sample(row["key"], image, target, (place,), _camera(data) or camera_for(recipe, *image.shape[:2]))

    def write_example(self, root: Path, recipe: Recipe, scenes: Iterable[Scene]) -> None:
        """HDF5 files under names of the list; every fourth scene also as a frame of a raw sequence."""
        layout = check(recipe.layout, Layout, where=recipe.path)
        listed = [split for split in recipe.splits if split != layout.raw_split]
        names = [
            f"{clip}_{microseconds(frame)}.jpg.h5"
            for clip, frames in load_split_list(recipe, listed[0]).items()
            for frame in frames
        ]
        raw: list[tuple[NDArray[np.uint8], NDArray[np.float32]]] = []
        count = 0
        for scene, name in _example.named(recipe, scenes, names):
            valid = structured_light_holes(scene.depth_m, scene.labels, _example.defects(recipe, scene)) & ~scene.sky
            depth = np.where(valid, scene.depth_m, 0).astype(np.float32)
            _example.write_file(root, f"tum_hdf5/{name}", encode_h5(scene, depth))
            if scene.index % EVERY_NTH_RAW == 0:
                raw.append((scene.image, depth))
            count += 1
        _tum_raw.write_sequence(root, EXAMPLE_SEQUENCE, raw, layout.raw_scale)
        _example.write_marker(root, recipe, count)


def microseconds(frame: int) -> int:
    """Time in a clip, as the names of the HDF5 files give it."""
    return round(frame * 1e6 / FRAMES_PER_S)


def encode_h5(scene: Scene, depth_m: NDArray[np.float32]) -> bytes:
    """A scene as MannequinChallenge stores it: colour in 0..1, depth in m with 0 as invalid, the camera matrix."""
    camera = scene.camera
    matrix = np.array([[camera.fx, 0, camera.cx], [0, camera.fy, camera.cy], [0, 0, 1]], np.float32)
    return hdf5.encode({IMAGE: (scene.image / 255).astype(np.float32), DEPTH: depth_m, INTRINSICS: matrix})


def _as_rgb(stored: NDArray[Any], place: str) -> NDArray[np.uint8]:
    if stored.ndim != 3 or stored.shape[2] != 3 or not np.isfinite(stored).all():
        raise SampleError("bad-image", f"{IMAGE} is {stored.dtype} {stored.shape}, not finite (H, W, 3)", where=place)
    colour = stored.astype(np.float64) * 255  # test_data holds 0..1: its loader feeds the network without dividing
    if colour.min() < -0.5 or colour.max() > 255.5:
        raise SampleError("bad-image", f"{IMAGE} leaves 0..1: {stored.min():g} to {stored.max():g}", where=place)
    return np.clip(np.round(colour), 0, 255).astype(np.uint8)


def _camera(data: bytes) -> Camera | None:
    try:
        matrix = hdf5.decode(data, INTRINSICS)
    except FormatError:
        return None
    if matrix.shape != (3, 3):
        return None
    return Camera(float(matrix[0, 0]), float(matrix[1, 1]), float(matrix[0, 2]), float(matrix[1, 2]))
