"""KITTI: street scenes from a car, sparse annotated LiDAR depth, the Eigen test frames and their subsets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from dpt_bench.core.recipe import Recipe
from dpt_bench.core.sample import Sample
from dpt_bench.core.toml import Strict, check
from dpt_bench.formats import images
from dpt_bench.readers import _example
from dpt_bench.readers._contract import Row
from dpt_bench.readers._splits import load_split_list
from dpt_bench.readers._targets import camera_for, depth_map
from dpt_bench.readers._tree import check_tree, image_and_target, item_table, read_decoded, wrong_tree
from dpt_bench.scenes.scene import Scene
from dpt_bench.scenes.sensors import lidar_mask

CODES_PER_METRE = 256
FRAME_WITHOUT_DEPTH = ("2011_09_26_drive_0002", 0)
"""A frame of the 697: annotation accumulates five scans to each side, so a drive's first and last frames have none."""


class Layout(Strict):
    """Where a frame may lie, tried in turn; {date}, {drive} and {frame} are filled in, as 2011_09_26_drive_0002."""

    images: list[str]
    depths: list[str]


class Reader:
    """Listed frames only, and of those the ones whose image and annotated depth both exist."""

    def list(self, root: Path, recipe: Recipe, split: str) -> pa.Table:
        """One row a listed frame that is there; the table's metadata says how many were listed and missing."""
        check_tree(root, recipe, split)
        layout = check(recipe.layout, Layout, where=recipe.path)
        listed = list(_frames(recipe, split))
        keys, drives, files = [], [], []
        missing = {"image": 0, "depth": 0}
        for drive, frame in listed:
            image = _first_found(root, layout.images, drive, frame)
            depth = _first_found(root, layout.depths, drive, frame)
            missing["image"] += image is None
            missing["depth"] += depth is None
            if image is not None and depth is not None:
                keys.append(f"{drive}/{frame:010d}")
                drives.append(drive)
                files.append((image, depth))
        if not keys:
            raise wrong_tree(
                root, recipe, (_place(patterns[0], *listed[-1]) for patterns in (layout.images, layout.depths))
            )
        remarks = {"listed": str(len(listed))} | {f"missing_{part}s": str(count) for part, count in missing.items()}
        return item_table(keys, drives, files, metadata=remarks)

    def read(self, root: Path, recipe: Recipe, row: Row) -> Sample:
        """Decode a frame at its native size."""
        image_path, depth_path = image_and_target(row)
        image = read_decoded(root, image_path, images.decode_rgb)
        target = depth_map(read_decoded(root, depth_path, images.decode_gray), recipe.target)
        return Sample(row["key"], image, target, (image_path, depth_path), camera_for(recipe, *image.shape[:2]))

    def write_example(self, root: Path, recipe: Recipe, scenes: Iterable[Scene]) -> None:
        """Frames of the MiDaS list first, then the other annotated ones, LiDAR-sparse; and one that has no depth."""
        layout = check(recipe.layout, Layout, where=recipe.path)
        frames = list(dict.fromkeys(frame for split in _by_size(recipe) for frame in _frames(recipe, split)))
        count = 0
        for scene, name in _example.named(recipe, scenes, [f"{drive} {frame}" for drive, frame in frames]):
            drive, frame = name.split()
            image = images.encode_png(scene.image)
            seen = lidar_mask(scene.depth_m, scene.camera, _example.defects(recipe, scene))
            codes = np.where(seen & ~scene.sky, scene.depth_m, 0) * CODES_PER_METRE
            _example.write_file(root, _place(layout.images[0], drive, int(frame)), image)
            depth = images.encode_png(np.clip(np.round(codes), 0, 65535).astype(np.uint16))
            _example.write_file(root, _place(layout.depths[0], drive, int(frame)), depth)
            if count == 0:
                _example.write_file(root, _place(layout.images[0], *FRAME_WITHOUT_DEPTH), image)
            count += 1
        _example.write_marker(root, recipe, count)


def _frames(recipe: Recipe, split: str) -> Iterator[tuple[str, int]]:
    for drive, frames in load_split_list(recipe, split).items():
        for frame in frames:
            yield drive, frame


def _by_size(recipe: Recipe) -> list[str]:
    return sorted(recipe.splits, key=lambda split: recipe.splits[split].images or 0)[:-1]


def _place(pattern: str, drive: str, frame: int) -> str:
    return pattern.format(date=drive[:10], drive=drive, frame=f"{frame:010d}")


def _first_found(root: Path, patterns: list[str], drive: str, frame: int) -> str | None:
    places = (_place(pattern, drive, frame) for pattern in patterns)
    return next((place for place in places if (root / place).is_file()), None)
