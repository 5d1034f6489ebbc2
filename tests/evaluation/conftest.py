"""A dataset, a reader and a suite of the user's own, in a temporary folder, and predictors that are easy to follow."""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from dpt_bench.core.kinds import DepthKind
from dpt_bench.core.suite import ResizeRule
from dpt_bench.predictors import Prediction, Query

READER = '''
"""Reads <key>.npz: image, depth_m."""
import io
from pathlib import Path
from zipfile import BadZipFile
import numpy as np
import pyarrow as pa
from dpt_bench.core.errors import SampleError
from dpt_bench.core.kinds import DepthKind
from dpt_bench.core.sample import DepthMap, Sample


class Reader:
    def list(self, root, recipe, split):
        keys = sorted(path.relative_to(root).with_suffix("").as_posix() for path in Path(root).rglob("*.npz"))
        return pa.table({"key": keys, "scene": keys, "files": [[key + ".npz"] for key in keys]})

    def read(self, root, recipe, row):
        try:
            stored = np.load(io.BytesIO((Path(root) / row["files"][0]).read_bytes()))
            image, depth_m = stored["image"], stored["depth_m"]
        except (BadZipFile, ValueError, EOFError, KeyError) as error:
            raise SampleError("corrupt-file", str(error)) from error
        valid = np.isfinite(depth_m)
        return Sample(row["key"], image, DepthMap(depth_m, DepthKind.METRIC_DEPTH, valid), tuple(row["files"]))

    def write_example(self, root, recipe, scenes):
        raise NotImplementedError
'''
RECIPE = """
version = 1
title = "mine"
citation = "none"
licence = "none"
homepage = "none"
obtain = "none"
reader = "npz_reader.py"
[target]
kind = "metric_depth"
format = "npz"
[splits.test]
"""
SUITE = """
version = 1
title = "mine"
citation = "none"
status = "user"
missing = ["sintel"]
"""
DATASET = """
[[datasets]]
recipe = "{name}.toml"
split = "test"
metrics = ["delta_above_1_25", "absrel", "rmse"]
resize = {{ side = "longer", size = 96 }}
cap_m = {cap_m}
"""


@dataclass
class World:
    """Files of the user's: data/<dataset>/<key>.npz, recipes, and the suite; `arrays` holds what is in the files."""

    folder: Path
    suite: Path
    data: Path
    arrays: dict[tuple[str, str], tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)

    def keys(self, dataset: str) -> list[str]:
        return sorted(key for name, key in self.arrays if name == dataset)

    def add(self, dataset: str, key: str, image: np.ndarray, depth_m: np.ndarray) -> Path:
        path = self.data / dataset / f"{key}.npz"
        path.parent.mkdir(parents=True, exist_ok=True)
        stored = io.BytesIO()
        np.savez(stored, image=image, depth_m=depth_m)
        path.write_bytes(stored.getvalue())
        self.arrays[dataset, key] = image, depth_m
        return path


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Two datasets of images in two sizes; "outside" has deeper scenes than "inside"."""
    (tmp_path / "npz_reader.py").write_text(READER)
    for name in ("inside", "outside"):
        (tmp_path / f"{name}.toml").write_text(RECIPE)
    suite = tmp_path / "mine.toml"
    suite.write_text(SUITE + DATASET.format(name="outside", cap_m=80.0) + DATASET.format(name="inside", cap_m=10.0))
    world = World(tmp_path, suite, tmp_path / "data")
    generator = np.random.default_rng(0)
    for dataset, deepest, count in (("inside", 9.0, 7), ("outside", 90.0, 5)):
        for index in range(count):
            height, width = (24, 36) if index % 3 else (30, 30)
            depth_m = generator.uniform(1.0, deepest, (height, width)).astype(np.float32)
            depth_m[generator.random((height, width)) < 0.3] = np.nan
            image = generator.integers(0, 256, (height, width, 3), dtype=np.uint8)
            world.add(dataset, f"room{index % 2}/{index:03}", image, depth_m)
    return world


@dataclass
class Fake:
    """Predicts a fixed function of the image and remembers what it was asked; `spoil` may change or refuse an image."""

    name: str = "fake"
    kind: DepthKind = DepthKind.AFFINE_DISPARITY
    preprocessing: str = "suite"
    checkpoint_sha256: str | None = "12" * 32
    trained_on: tuple[str, ...] = ("inside",)
    spoil: Callable[[Query, np.ndarray], np.ndarray] = lambda query, values: values
    asked: list[tuple[str, str]] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    rules: list[ResizeRule | None] = field(default_factory=list)

    def predict(self, queries: Sequence[Query], size_rule: ResizeRule | None) -> list[Prediction]:
        self.batches.append(len(queries))
        self.rules.append(size_rule)
        self.asked += [(query.dataset, query.key) for query in queries]
        return [Prediction(self.spoil(query, self.values(query.image)), (32, 64)) for query in queries]

    @staticmethod
    def values(image: np.ndarray) -> np.ndarray:
        return image[::2, ::3].mean(axis=2).astype(np.float32) + np.linspace(0, 500, image[::2].shape[0])[
            :, None
        ].astype(np.float32)

    def input_words(self, size_rule: ResizeRule | None) -> str:
        return size_rule.words if size_rule and self.preprocessing == "suite" else "24 x 36 squared"

    def __call__(self, image: np.ndarray) -> np.ndarray:
        return self.values(image)


@pytest.fixture
def make_fake() -> type[Fake]:
    return Fake


@pytest.fixture(scope="session")
def oracle() -> ModuleType:
    path = Path(__file__).parents[1] / "scoring" / "midas_oracle.py"
    spec = importlib.util.spec_from_file_location("midas_oracle", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
