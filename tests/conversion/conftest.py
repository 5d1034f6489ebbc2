"""A user's own dataset outside the package: recipe, reader and raw tree in a temporary folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import cv2
import numpy as np
import pytest

READER = '''
"""Reads <split>/<scene>_<frame>.png with a float32 depth in metres beside it; inf is sky, 0 is a hole."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from dpt_bench.core.errors import SampleError, UsageError
from dpt_bench.core.sample import Camera, DepthMap, Sample
from dpt_bench.formats import images, npy


class Reader:
    def list(self, root, recipe, split):
        if not (root / "train").is_dir():
            raise UsageError("this is not a toy tree: train/ is missing", where=root)
        found = sorted((root / split).glob("*.png"))
        stems = [f"{split}/{file.stem}" for file in found]
        return pa.table(
            {
                "key": pa.array(stems, pa.string()),
                "scene": pa.array([stem.split("_")[0] for stem in stems], pa.string()),
                "files": pa.array([[f"{stem}.png", f"{stem}.npy"] for stem in stems], pa.list_(pa.string())),
            }
        )

    def read(self, root, recipe, row):
        image = images.decode_rgb((root / row["files"][0]).read_bytes())
        depth = npy.decode((root / row["files"][1]).read_bytes()).astype(np.float32)
        sky = np.isinf(depth)
        valid = (depth > 0) | sky
        values = np.where(valid & ~sky, depth, np.nan).astype(np.float32)
        return Sample(
            key=row["key"],
            image=image,
            target=DepthMap(values, recipe.target.kind, valid, sky),
            sources=tuple(row["files"]),
            camera=Camera(fx=100.0, fy=100.0, cx=50.0, cy=40.0),
        )
'''

RECIPE = """
version = 1
title = "Toy"
citation = "nobody, 2026"
licence = "CC0"
homepage = "https://example.org"
obtain = "write it yourself"
reader = "toy_reader.py"

[target]
kind = "metric_depth"
format = "npy"
sky_policy = "infinity"

[splits.train]
[splits.val]
"""


@dataclass
class Toy:
    """Where a toy dataset lies. `raw` holds one folder a dataset, as a build expects it."""

    folder: Path
    recipe: Path
    raw: Path
    root: Path

    def file(self, stem: str, ending: str) -> Path:
        return self.root / f"{stem}.{ending}"


def write_toy(
    folder: Path, *, train: int = 7, val: int = 2, name: str = "toy", size: tuple[int, int] = (40, 52)
) -> Toy:
    """`train` and `val` frames of scenes "a" and "b" in turn, with a gradient, a hole and a strip of sky."""
    toy = Toy(folder, folder / f"{name}.toml", folder / "raw", folder / "raw" / name)
    folder.mkdir(parents=True, exist_ok=True)
    toy.recipe.write_text(RECIPE)
    (folder / "toy_reader.py").write_text(dedent(READER))
    for split, count in (("train", train), ("val", val)):
        (toy.root / split).mkdir(parents=True)
        for frame in range(count):
            write_frame(toy.root / split / f"{'ab'[frame % 2]}_{frame:03d}", frame, size)
    return toy


def write_frame(stem: Path, seed: int, size: tuple[int, int]) -> None:
    rng = np.random.default_rng(seed)
    height, width = size
    image = rng.integers(0, 255, (height, width, 3), dtype=np.uint8)
    depth = np.linspace(20 + seed, 1, height, dtype=np.float32)[:, None] + rng.random((height, width), np.float32)
    depth[:5] = np.inf
    depth[10:14, 5:9] = 0
    cv2.imwrite(f"{stem}.png", image)
    np.save(f"{stem}.npy", depth)


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    return write_toy(tmp_path / "user")


@pytest.fixture
def make_toy(tmp_path: Path) -> Callable[..., Toy]:
    """`make_toy("name", train=3)`: another toy dataset."""

    def make(folder: str, **options: object) -> Toy:
        return write_toy(tmp_path / folder, **options)  # type: ignore[arg-type]

    return make
