"""Example trees of every depth recipe in the catalog, written, listed and read once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from dpt_bench.core.catalog import RECIPES
from dpt_bench.core.errors import SampleError
from dpt_bench.core.recipe import Recipe
from dpt_bench.core.sample import DepthMap, Sample
from dpt_bench.readers import load_reader
from dpt_bench.scenes import Scene, scenes_for

NUM_SCENES = 8
"""Enough for one validating scene, MegaDepth's grey photo and TartanAir's float16."""
SAME_PICTURE = 4.0
"""Mean difference in 8-bit steps, of grey values, up to which a photo is the scene's: JPEG changes it a little."""


@dataclass(frozen=True)
class Example:
    """A written tree: item tables and samples by split, what was rejected, and the scenes behind it."""

    root: Path
    recipe: Recipe
    scenes: list[Scene]
    tables: dict[str, pa.Table]
    samples: dict[str, list[Sample]]
    rejected: dict[str, list[SampleError]]

    def depths(self) -> Iterator[tuple[Sample, DepthMap, Scene]]:
        """Every sample with its depth and its scene, over all splits."""
        for sample, scene in self.pictures():
            assert isinstance(sample.target, DepthMap)
            yield sample, sample.target, scene

    def pictures(self) -> Iterator[tuple[Sample, Scene]]:
        """Every sample with its scene, over all splits."""
        for samples in self.samples.values():
            for sample in samples:
                yield sample, self.scene_of(sample)

    def scene_of(self, sample: Sample) -> Scene:
        """The scene that a sample shows, told by its picture alone."""
        same_size = [scene for scene in self.scenes if scene.image.shape == sample.image.shape]
        distances = [np.abs(_grey(scene.image) - _grey(sample.image)).mean() for scene in same_size]
        assert min(distances) < SAME_PICTURE, f"{sample.key} shows no scene: {min(distances)}"
        return same_size[int(np.argmin(distances))]


def _grey(image: np.ndarray) -> np.ndarray:
    return image.mean(axis=2)


@pytest.fixture(scope="session")
def examples(tmp_path_factory: pytest.TempPathFactory):
    """recipe name -> its Example."""

    @cache
    def make(name: str) -> Example:
        root, recipe = tmp_path_factory.mktemp(name), RECIPES.load(name)
        reader = load_reader(recipe)
        scenes = list(scenes_for(name, NUM_SCENES, seed=0))
        reader.write_example(root, recipe, iter(scenes))
        tables = {split: reader.list(root, recipe, split) for split in recipe.splits}
        samples: dict[str, list[Sample]] = {}
        rejected: dict[str, list[SampleError]] = {}
        for split, table in tables.items():
            samples[split], rejected[split] = [], []
            for row in table.to_pylist():
                try:
                    samples[split].append(reader.read(root, recipe, row))
                except SampleError as error:
                    rejected[split].append(error)
        return Example(root, recipe, scenes, tables, samples, rejected)

    return make
