"""What example trees share: which scenes validate, defects that repeat, the dataset's own names, the marker."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dpt_bench.core.catalog import RECIPES
from dpt_bench.core.errors import UsageError
from dpt_bench.readers._example import MARKER, defects, named, validates, write_marker
from dpt_bench.scenes import Scene, scenes_for

RECIPE = RECIPES.load("kitti")


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return list(scenes_for("diw", 4, seed=0))


def test_four_scenes_have_one_that_validates(scenes: list[Scene]) -> None:
    assert [validates(scene) for scene in scenes] == [False, False, False, True]


def test_defects_repeat_for_a_scene_and_differ_between_scenes_and_recipes(scenes: list[Scene]) -> None:
    draws = [defects(recipe, scene).random() for recipe in (RECIPE, RECIPES.load("nyu")) for scene in scenes[:2]]
    assert len(set(draws)) == 4
    assert defects(RECIPE, scenes[0]).random() == draws[0]


def test_names_run_out_with_an_error_that_says_how_many_there_are(scenes: list[Scene]) -> None:
    pairs = [(scene.index, name) for scene, name in named(RECIPE, scenes[:2], ["a", "b"])]
    assert pairs == [(0, "a"), (1, "b")]
    with pytest.raises(UsageError, match="at most 3 scenes"):
        list(named(RECIPE, scenes, ["a", "b", "c"]))


def test_the_marker_names_dataset_and_count(tmp_path: Path) -> None:
    write_marker(tmp_path, RECIPE, 7)
    assert json.loads((tmp_path / MARKER).read_text()) == {"dataset": "kitti", "recipe_version": 1, "count": 7}
