"""TartanAir v1: photo-realistic simulation of 18 environments, metric depth as NPY."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
from pydantic import field_validator

from dpt_bench.core.recipe import Recipe
from dpt_bench.core.sample import Sample
from dpt_bench.core.toml import Strict, check
from dpt_bench.formats import images, npy
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

FILE = re.compile(r"(?:.*/)?([^/]+)/(Easy|Hard)/(?:.*/)?(P\d{3})/(image|depth)_left/(\d+)_left(?i:(\.png|_depth\.npy))")
"""Environment, difficulty, trajectory, kind, frame. The greedy head makes the last Easy or Hard count: archives unpack
as <env>/<env>/Easy/P000/... or <env>/Easy/image_left/<env>/<env>/Easy/P000/..., image and depth not together."""

ENDINGS = {"image": ".png", "depth": "_depth.npy"}
SKY_SPHERE_M = 10000.0
EXAMPLE_FOLDERS = (
    "abandonedfactory/abandonedfactory/Easy/P000",
    "neighborhood/Hard/P001",
    "soulcity/Easy/{kind}_left/soulcity/soulcity/Easy/P002",
)
"""The layouts that the archives unpack into."""


class Layout(Strict):
    """sky_from_m: depth from which on a pixel shows the sky sphere.

    sky_from_m_by_environment: "name=metres" where it differs.
    unreliable_sky: environments whose sky has a wrong, finite depth: no sky signal there, and the samples say so.
    """

    val_environments: list[str]
    sky_from_m: float
    sky_from_m_by_environment: tuple[str, ...] = ()
    unreliable_sky: tuple[str, ...] = ()

    @field_validator("sky_from_m_by_environment")
    @classmethod
    def _entries_are_readable(cls, entries: tuple[str, ...]) -> tuple[str, ...]:
        for entry in entries:
            if not re.fullmatch(r"[^=]+=[0-9.]+", entry):
                raise ValueError(f'{entry!r} is not "name=metres"')
        return entries

    def sky_from(self, environment: str) -> float:
        exceptions = dict(entry.split("=") for entry in self.sky_from_m_by_environment)
        return float(exceptions.get(environment, self.sky_from_m))


class Reader:
    """<env>/{Easy,Hard}/P<nnn>/{image_left/<n>_left.png, depth_left/<n>_left_depth.npy}, folders doubled in any way."""

    def list(self, root: Path, recipe: Recipe, split: str) -> pa.Table:
        """One row a frame of the left camera; a frame that was unpacked twice counts once."""
        check_tree(root, recipe, split)
        layout = check(recipe.layout, Layout, where=recipe.path)
        found: dict[str, dict[str, str]] = {"image": {}, "depth": {}}
        trajectories: dict[str, str] = {}
        environments: dict[str, str] = {}
        for path in sorted(files_below(root)):
            match = FILE.fullmatch(path)
            if match is None or ENDINGS[match[4]] != match[6].lower():
                continue
            trajectory = f"{match[1]}/{match[2]}/{match[3]}"
            key = legal_key(f"{trajectory}/{match[5]}")
            found[match[4]].setdefault(key, path)
            trajectories[key], environments[key] = trajectory, match[1]
        if not found["image"].keys() & found["depth"].keys():
            raise wrong_tree(
                root, recipe, [f"<env>/Easy|Hard/P<nnn>/{k}_left/<n>_left{end}" for k, end in ENDINGS.items()]
            )
        val = set(layout.val_environments)
        chosen, targets = (
            {key: path for key, path in found[kind].items() if (environments[key] in val) == (split == "val")}
            for kind in ENDINGS
        )
        if not chosen:
            raise empty_split(root, recipe, split)
        return pair_table(chosen, targets, trajectories)

    def read(self, root: Path, recipe: Recipe, row: Row) -> Sample:
        """Decode a frame; float16 and float32 are both met in the wild."""
        image_path, depth_path = image_and_target(row)
        layout = check(recipe.layout, Layout, where=recipe.path)
        image = read_decoded(root, image_path, images.decode_rgb)
        depth = read_decoded(root, depth_path, npy.decode).astype(np.float32)
        environment = row["scene"].split("/")[0]
        notes: dict[str, str | float | int] = {}
        sky = None
        if environment in layout.unreliable_sky:
            notes["sky"] = "unreliable"
        else:
            with np.errstate(invalid="ignore"):  # a NaN is not sky
                sky = depth >= layout.sky_from(environment)
        target = depth_map(depth, recipe.target, sky=sky)
        return Sample(row["key"], image, target, (image_path, depth_path), camera_for(recipe, *image.shape[:2]), notes)

    def write_example(self, root: Path, recipe: Recipe, scenes: Iterable[Scene]) -> None:
        """Frames below plain, doubled and torn folders, one in float16, and an AppleDouble twin that is no frame."""
        layout = check(recipe.layout, Layout, where=recipe.path)
        count = 0
        for scene in scenes:
            if _example.validates(scene):
                folder = f"{layout.val_environments[0]}/Easy/P000"
            else:
                folder = EXAMPLE_FOLDERS[scene.index % len(EXAMPLE_FOLDERS)]
            depth = np.where(scene.sky, SKY_SPHERE_M, scene.depth_m)
            stored = depth.astype(np.float16 if scene.index % 16 == 7 else np.float32)
            image = f"{folder.format(kind='image')}/image_left/{scene.index:06d}_left.png"
            target = f"{folder.format(kind='depth')}/depth_left/{scene.index:06d}_left_depth.npy"
            _example.write_file(root, image, images.encode_png(scene.image))
            _example.write_file(root, target, npy.encode(stored))
            if count == 0:
                head, _, name = target.rpartition("/")
                _example.write_file(root, f"{head}/._{name}", b"\x00\x05\x16\x07Mac OS X        ")
            count += 1
        _example.write_marker(root, recipe, count)
