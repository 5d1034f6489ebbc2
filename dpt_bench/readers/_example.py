"""What every `write_example` needs: the marker of the sample world, files, names and a generator for sensor defects."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from dpt_bench.core.errors import UsageError
from dpt_bench.core.recipe import Recipe
from dpt_bench.scenes.scene import Scene

MARKER = "SAMPLE_WORLD.json"
"""The file at the root of a tree that says: rendered, not measured."""

EVERY_NTH_VALIDATES = 8


def write_marker(root: Path, recipe: Recipe, count: int) -> None:
    """Mark a finished tree of `count` scenes as part of the sample world."""
    facts = {"dataset": recipe.name, "recipe_version": recipe.version, "count": count}
    write_file(root, MARKER, (json.dumps(facts, indent=2) + "\n").encode())


def write_file(root: Path, relative: str, data: bytes) -> None:
    path = root / relative
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def validates(scene: Scene) -> bool:
    """Whether a scene goes to the validation split: every eighth, from the fourth on, so four scenes have one."""
    return scene.index % EVERY_NTH_VALIDATES == 3


def defects(recipe: Recipe, scene: Scene) -> np.random.Generator:
    """The generator of a scene's sensor defects: the same for the same recipe and scene."""
    digest = hashlib.sha256(f"{recipe.name}/{scene.name}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "little"))


def named(recipe: Recipe, scenes: Iterable[Scene], names: Sequence[str]) -> Iterator[tuple[Scene, str]]:
    """Each scene with the next of the dataset's own names.

    Raises:
        UsageError: more scenes than names.
    """
    remaining = iter(names)
    for scene in scenes:
        name = next(remaining, None)
        if name is None:
            raise UsageError(f"an example tree of {recipe.name} holds at most {len(names)} scenes", fix="ask for fewer")
        yield scene, name
