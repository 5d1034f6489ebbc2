"""What every recipe and its reader keep: run over whatever the catalog lists."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import numpy as np
import pytest

from dpt_bench.core.catalog import EVAL_RECIPES, RECIPES, TRAIN_RECIPES
from dpt_bench.core.errors import UnknownNameError, UsageError
from dpt_bench.core.kinds import DepthKind
from dpt_bench.core.recipe import Recipe
from dpt_bench.core.sample import DepthMap, OrdinalPairs
from dpt_bench.readers import ITEM_FIELDS, load_reader

NAMES = RECIPES.names()
ORDINAL = [name for name in NAMES if RECIPES.load(name).target.kind == "ordinal"]
DEPTH = [name for name in NAMES if RECIPES.load(name).target.kind not in ("labels", "ordinal")]
EXAMPLES = DEPTH + ORDINAL
FLOAT16_STEP = 2.0**-11
every_recipe = pytest.mark.parametrize("name", NAMES)
every_depth_recipe = pytest.mark.parametrize("name", DEPTH)
every_example = pytest.mark.parametrize("name", EXAMPLES)
every_training_recipe = pytest.mark.parametrize("name", TRAIN_RECIPES.names())


@every_recipe
def test_the_facts_are_told(name: str) -> None:
    recipe = RECIPES.load(name)
    for fact in (recipe.title, recipe.citation, recipe.licence, recipe.homepage, recipe.obtain):
        assert len(fact) > 5
    assert recipe.homepage.startswith("https://")
    for split in recipe.splits.values():
        assert split.note
        assert split.list_file is None or split.keys_sha256 is not None


@every_training_recipe
def test_training_recipes_can_train_and_validate(name: str) -> None:
    assert {"train", "val"} <= set(RECIPES.load(name).splits)


def test_recipes_for_training_and_evaluation_have_different_names() -> None:
    assert not set(TRAIN_RECIPES.names()) & set(EVAL_RECIPES.names())


@every_example
def test_items_follow_the_contract(name: str, examples) -> None:
    example = examples(name)
    for split, table in example.tables.items():
        assert [table.schema.field(field.name).type for field in ITEM_FIELDS] == [field.type for field in ITEM_FIELDS]
        keys = table["key"].to_pylist()
        assert keys == sorted(set(keys)), split
        assert all(re.fullmatch(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*", key) for key in keys), split
        for files in table["files"].to_pylist():
            assert all((example.root / file).is_file() for file in files), files


@every_example
def test_every_scene_is_found_again(name: str, examples) -> None:
    example = examples(name)
    shown = {scene.index for _, scene in example.pictures()}
    assert shown == set(range(len(example.scenes)))


@every_training_recipe
def test_splits_of_training_sets_share_nothing(name: str, examples) -> None:
    tables = examples(name).tables
    train, val = set(tables["train"]["key"].to_pylist()), set(tables["val"]["key"].to_pylist())
    assert train
    assert val
    assert not train & val
    accepted = sum(len(samples) for samples in examples(name).samples.values())
    assert accepted == len(examples(name).scenes)


@every_example
def test_only_known_defects_are_rejected(name: str, examples) -> None:
    example = examples(name)
    reasons = {error.reason for errors in example.rejected.values() for error in errors}
    assert reasons == set(example.recipe.expected_rejections)
    assert all(error.where for errors in example.rejected.values() for error in errors)


@every_example
def test_samples_are_what_their_rows_say(name: str, examples) -> None:
    example = examples(name)
    for split, samples in example.samples.items():
        rows = {row["key"]: row for row in example.tables[split].to_pylist()}
        for sample in samples:
            assert set(sample.sources) <= set(rows[sample.key]["files"])
            assert sample.image.shape[2] == 3


@every_depth_recipe
def test_kinds_and_masks(name: str, examples) -> None:
    """Valid pixels have a finite number or are sky; invalid ones have NaN, so nothing can use them by accident."""
    for sample, target, _ in examples(name).depths():
        assert target.kind == examples(name).recipe.target.kind
        sky = np.zeros_like(target.valid) if target.sky is None else target.sky
        assert target.values.dtype == np.float32
        assert np.isfinite(target.values[target.valid & ~sky]).all(), sample.key
        assert np.isnan(target.values[~target.valid]).all(), sample.key
        assert target.valid.mean() > 0.02, sample.key


@every_depth_recipe
def test_near_is_near(name: str, examples) -> None:
    """The polarity test: inverse depth of the target rises with that of the scene."""
    for sample, target, scene in examples(name).depths():
        inside = np.isfinite(target.values) & ~scene.sky
        found = target.values[inside].astype(np.float64) * (1 if target.kind.is_disparity else -1)
        nearness = 1 / scene.depth_m[inside]
        if np.ptp(nearness) < 1e-3:
            continue
        order = np.argsort(nearness, kind="stable")
        far, near = np.array_split(found[order], 4)[0], np.array_split(found[order], 4)[-1]
        assert np.median(near) > np.median(far), sample.key
        assert np.corrcoef(_ranks(found), _ranks(nearness))[0, 1] > 0.98, sample.key


@pytest.mark.parametrize("name", ORDINAL)
def test_pairs_are_ordered_as_the_scene_is(name: str, examples) -> None:
    relations = set()
    for sample, scene in examples(name).pictures():
        assert isinstance(sample.target, OrdinalPairs)
        for (a, b), farther in zip(sample.target.points.astype(int), sample.target.farther, strict=True):
            depth = scene.depth_m
            assert (depth[a[1], a[0]] > depth[b[1], b[0]]) == farther, sample.key
            relations.add(bool(farther))
    assert relations == {True, False}


@every_depth_recipe
def test_sky_follows_the_policy(name: str, examples) -> None:
    example = examples(name)
    for sample, target, scene in example.depths():
        if target.sky is None:
            seen = target.valid & scene.sky
            ground = target.valid & ~scene.sky
            if seen.any() and ground.any():  # the set calls sky a distance; then it must be the farthest one
                sign = 1 if target.kind.is_disparity else -1
                assert (sign * target.values[seen]).max() <= (sign * target.values[ground]).min(), sample.key
            continue
        np.testing.assert_array_equal(target.sky, scene.sky, err_msg=sample.key)
        assert target.valid[target.sky].all() if example.recipe.target.sky_policy != "invalid" else True
        if example.recipe.target.sky_policy == "invalid":
            assert not target.valid[target.sky].any(), sample.key


@every_depth_recipe
def test_depth_is_that_of_the_scene_within_the_formats_step(name: str, examples) -> None:
    facts = examples(name).recipe.target
    step = 0.5 * abs(facts.scale) if facts.format.startswith("png") else 0.0
    for sample, target, scene in examples(name).depths():
        inside = np.isfinite(target.values) & ~scene.sky
        found = target.values[inside].astype(np.float64)
        depth = scene.depth_m[inside].astype(np.float64)
        true = 1 / depth if target.kind.is_disparity else depth
        error = np.abs(found - _aligned(true, found, target))
        allowed = step * 1.5 + 2 * FLOAT16_STEP * np.abs(found) + 1e-6
        assert (error <= allowed).all(), f"{sample.key}: {error.max()} where {allowed[error.argmax()]} is allowed"


@every_example
def test_the_tree_says_that_it_is_rendered(name: str, examples) -> None:
    example = examples(name)
    marker = json.loads((example.root / "SAMPLE_WORLD.json").read_text())
    assert marker["dataset"] == name
    assert marker["count"] == len(example.scenes)


@every_example
def test_the_same_scenes_give_the_same_bytes(name: str, examples, tmp_path: Path) -> None:
    recipe = RECIPES.load(name)
    trees = []
    for number in range(2):
        root = tmp_path / str(number)
        root.mkdir()
        load_reader(recipe).write_example(root, recipe, examples(name).scenes[:2])
        files = sorted(path for path in root.rglob("*") if path.is_file())
        trees.append({str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).digest() for path in files})
    assert trees[0] == trees[1]


@every_recipe
def test_wrong_calls_say_what_was_looked_for(name: str, tmp_path: Path) -> None:
    recipe = RECIPES.load(name)
    reader, split = load_reader(recipe), next(iter(recipe.splits))
    with pytest.raises(UsageError, match=recipe.name) as missing:
        reader.list(tmp_path / "absent", recipe, split)
    assert recipe.obtain in str(missing.value)
    (tmp_path / "holiday.jpg").touch()
    with pytest.raises(UsageError, match="looked for") as wrong:
        reader.list(tmp_path, recipe, split)
    assert "holiday.jpg" in str(wrong.value)
    with pytest.raises(UnknownNameError):
        reader.list(tmp_path, recipe, "no_such_split")


@every_recipe
def test_an_unknown_layout_key_is_told(name: str, tmp_path: Path) -> None:
    recipe = RECIPES.load(name)
    odd = recipe.model_copy(update={"layout": {**recipe.layout, "colour_of_the_disk": "blue"}})
    with pytest.raises(UsageError, match="colour_of_the_disk"):
        load_reader(recipe).list(tmp_path, odd, next(iter(recipe.splits)))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("other", ["redweb", "kitti", "tartanair"])
def test_a_tree_of_another_dataset_is_no_tree_of_this_one(name: str, other: str, examples) -> None:
    if name == other:
        return
    recipe: Recipe = RECIPES.load(name)
    with pytest.raises(UsageError):
        load_reader(recipe).list(examples(other).root, recipe, next(iter(recipe.splits)))


def _ranks(values: np.ndarray) -> np.ndarray:
    ranks = np.empty(values.size)
    ranks[np.argsort(values, kind="stable")] = np.arange(values.size)
    return ranks


def _aligned(true: np.ndarray, found: np.ndarray, target: DepthMap) -> np.ndarray:
    """The true numbers in the ambiguity that the kind leaves open."""
    if target.kind.is_affine:
        columns = np.stack([true, np.ones_like(true)], axis=1)
        return columns @ np.linalg.lstsq(columns, found, rcond=None)[0]
    if target.kind in (DepthKind.SCALE_INVARIANT_DEPTH, DepthKind.SCALE_INVARIANT_DISPARITY):
        return true * np.median(found / true)
    return true
