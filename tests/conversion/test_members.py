from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dpt_bench.conversion.members import Found, Missing, dataset_name, find_members, load_mix_or_recipe
from dpt_bench.core.errors import UnknownNameError, UsageError
from dpt_bench.core.mix import Member, Mix


def _mix(*recipes: str) -> Mix:
    members = tuple(Member(recipe=recipe) for recipe in recipes)
    return Mix(name="toys", version=1, title="", citation="", members=members)


def test_a_recipe_alone_is_a_mix_of_one(toy: Any) -> None:
    mix = load_mix_or_recipe(toy.recipe)
    assert mix.name == "toy"
    (found,) = find_members(mix, toy.raw)
    assert isinstance(found, Found)
    assert found.recipe.name == "toy"
    assert found.argument == str(toy.recipe)
    assert found.root == toy.root


def test_recipes_in_a_mix_file_lie_beside_it(toy: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    mix_file = toy.folder / "mine.toml"
    mix_file.write_text('version = 1\ntitle = ""\ncitation = ""\n[[members]]\nrecipe = "toy.toml"\nweight = 2.0\n')
    monkeypatch.chdir(tmp_path)
    mix = load_mix_or_recipe(mix_file)
    assert mix.name == "mine"
    assert mix.members[0].weight == 2
    assert dataset_name(mix.members[0]) == "toy"
    assert isinstance(find_members(mix, toy.raw)[0], Found)


def test_a_mix_by_object_and_unknown_names() -> None:
    mix = _mix("a")
    assert load_mix_or_recipe(mix) is mix
    with pytest.raises(UnknownNameError, match="mix"):
        load_mix_or_recipe("no_such_mix")
    with pytest.raises(UsageError, match="not found"):
        load_mix_or_recipe("no_such.toml")


def test_why_a_member_is_missing(toy: Any) -> None:
    mix = _mix("no_such_dataset", str(toy.recipe))
    missing, found = find_members(mix, toy.raw)
    assert missing == Missing("no_such_dataset", "not readable by this version: it has no recipe of that name")
    assert isinstance(found, Found)
    empty = toy.folder / "empty"
    (empty / "toy").mkdir(parents=True)
    for raw in (toy.folder, empty):
        _, missing = find_members(mix, raw)
        assert isinstance(missing, Missing)
        assert "write it yourself" in missing.why
        assert str(raw / "toy") in missing.why


def test_only_the_datasets_asked_for(toy: Any) -> None:
    mix = _mix("no_such_dataset", str(toy.recipe))
    assert len(find_members(mix, toy.raw, ["toy"])) == 1
    with pytest.raises(UnknownNameError, match="did you mean 'toy'"):
        find_members(mix, toy.raw, ["toyy"])


def test_a_raw_folder_that_is_not_there(toy: Any) -> None:
    with pytest.raises(UsageError, match="raw folder was not found"):
        find_members(_mix(str(toy.recipe)), toy.folder / "nosuch")
