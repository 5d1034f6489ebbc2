"""Recipes, scenes and small hand-made files for the readers' tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dpt_bench.core.catalog import RECIPES
from dpt_bench.core.recipe import Recipe
from dpt_bench.core.sample import Sample
from dpt_bench.formats import images
from dpt_bench.readers import load_reader

Put = Callable[[str, Any], str]


@pytest.fixture
def put(tmp_path: Path) -> Put:
    """Writes a file below tmp_path and returns its relative path: bytes as they are, text, or an array as PNG or JPEG."""

    def write(relative: str, content: Any) -> str:
        path = tmp_path / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, np.ndarray):
            content = images.encode_jpeg(content) if relative.endswith("jpg") else images.encode_png(content)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return relative

    return write


@pytest.fixture
def photo() -> np.ndarray:
    """RGB uint8 (6, 8, 3) with no two pixels alike."""
    return np.arange(6 * 8 * 3, dtype=np.uint8).reshape(6, 8, 3)


def read_all(root: Path, recipe: Recipe | str, split: str) -> dict[str, Sample]:
    """Every sample of a split, by key."""
    loaded = RECIPES.load(recipe) if isinstance(recipe, str) else recipe
    reader = load_reader(loaded)
    rows = reader.list(root, loaded, split).to_pylist()
    return {row["key"]: reader.read(root, loaded, row) for row in rows}


@pytest.fixture
def read() -> Callable[[Path, Recipe | str, str], dict[str, Sample]]:
    return read_all
