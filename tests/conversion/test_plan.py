from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from dpt_bench.conversion.options import BuildOptions
from dpt_bench.conversion.plan import DatasetPlan, hash_items, plan_dataset, problems, required_split, shuffle, thin_out
from dpt_bench.core.errors import UsageError
from dpt_bench.core.mix import Member
from dpt_bench.core.recipe import Recipe, load_recipe


def _items(keys: list[str], scenes: list[str] | None = None, files: list[list[str]] | None = None) -> pa.Table:
    return pa.table(
        {
            "key": pa.array(keys, pa.string()),
            "scene": pa.array(scenes or keys, pa.string()),
            "files": pa.array(files or [[f"{key}.png"] for key in keys], pa.list_(pa.string())),
        }
    )


def _plan(toy: Any, options: BuildOptions | None = None, **member: Any) -> DatasetPlan:
    recipe = load_recipe(toy.recipe)
    return plan_dataset(recipe, toy.root, Member(recipe="toy", **member), options or BuildOptions(shard_size=3))


def test_shards_of_each_split(toy: Any) -> None:
    plan = _plan(toy)
    assert [shard.name for shard in plan.shards] == [
        "train-00000.tar",
        "train-00001.tar",
        "train-00002.tar",
        "val-00000.tar",
    ]
    assert [plan.items(shard).num_rows for shard in plan.shards] == [3, 3, 1, 2]
    for shard in plan.shards:
        items = plan.items(shard)
        assert set(items["shard"].to_pylist()) == {shard.name}
        assert set(items["split"].to_pylist()) == {shard.split}


def test_every_item_is_planned_once(toy: Any) -> None:
    plan = _plan(toy)
    keys = plan.table["key"].to_pylist()
    assert len(keys) == len(set(keys)) == 9
    assert plan.identity.items["train"].count == 7


def test_the_order_depends_on_the_seed_alone(make_toy: Callable[..., Any]) -> None:
    toy = make_toy("u", train=30)
    first, second = _plan(toy), _plan(toy)
    assert first.table.equals(second.table)
    assert first.identity == second.identity
    other = _plan(toy, BuildOptions(shard_size=3, seed=1))
    assert other.table["key"].to_pylist() != first.table["key"].to_pylist()
    assert sorted(other.table["key"].to_pylist()) == sorted(first.table["key"].to_pylist())


def test_scenes_are_mixed() -> None:
    items = _items([f"s{scene}/{frame:03d}" for scene in range(10) for frame in range(100)])
    keys = shuffle(items, "toy", "train", 0)["key"].to_pylist()
    for start in range(0, 1000, 100):
        assert len({key.split("/")[0] for key in keys[start : start + 100]}) >= 8


def test_the_shuffle_is_the_same_for_ever() -> None:
    keys = shuffle(_items([str(number) for number in range(8)]), "toy", "train", 0)["key"].to_pylist()
    assert keys == ["2", "1", "3", "4", "7", "6", "5", "0"]


def test_an_empty_validation_split_is_fine(make_toy: Callable[..., Any]) -> None:
    plan = _plan(make_toy("u", val=0))
    assert plan.identity.items["val"].count == 0
    assert {shard.split for shard in plan.shards} == {"train"}


def test_a_validation_split_that_the_reader_refuses_is_empty(toy: Any) -> None:
    text = (toy.folder / "toy_reader.py").read_text()
    refusal = 'if split == "val":\n            raise UsageError("no such list")\n        found ='
    (toy.folder / "toy_reader.py").write_text(text.replace("found =", refusal))
    assert _plan(toy).identity.items["val"].count == 0


def test_an_empty_training_split_is_an_error(make_toy: Callable[..., Any]) -> None:
    with pytest.raises(UsageError, match="'train' is empty"):
        _plan(make_toy("u", train=0))


def test_the_tree_of_another_dataset_is_an_error(toy: Any) -> None:
    (toy.root / "train").rename(toy.root / "training")
    with pytest.raises(UsageError, match="not a toy tree"):
        _plan(toy)


def test_a_recipe_without_train_needs_its_first_split(toy: Any) -> None:
    recipe = load_recipe(toy.recipe)
    assert required_split(recipe) == "train"
    tested = recipe.model_dump() | {"splits": {"test": {}, "val": {}}}
    assert required_split(Recipe.model_validate(tested)) == "test"


def test_stride_keeps_every_nth_frame_of_each_scene() -> None:
    items = _items([f"k{number}" for number in range(10)], list("aababbbaab"))
    kept = thin_out(items, Member(recipe="toy", stride=3))
    assert kept["key"].to_pylist() == ["k0", "k2", "k6", "k7"]  # a: 0 1 3 7 8, b: 2 4 5 6 9


def test_a_budget_is_spread_evenly() -> None:
    items = _items([f"k{number:02d}" for number in range(10)])
    kept = thin_out(items, Member(recipe="toy", max_images=4))
    assert kept["key"].to_pylist() == ["k00", "k02", "k05", "k07"]
    assert thin_out(items, Member(recipe="toy", max_images=10)).num_rows == 10


def test_what_the_tree_lacks_of_the_release_is_told(toy: Any) -> None:
    assert _plan(toy).remarks == ()
    text = toy.recipe.read_text()
    toy.recipe.write_text(text.replace("[splits.train]", "[splits.train]\nimages = 3600\n"))
    assert _plan(toy, stride=2).remarks == ("train: 7 images, the release has 3,600",)
    (toy.root / "SAMPLE_WORLD.json").touch()
    assert _plan(toy).remarks == (), "a rendered tree is no copy of a release"


def test_what_a_reader_remarks_is_told_once(toy: Any) -> None:
    text = toy.recipe.with_name("toy_reader.py").read_text()
    table = "return pa.table("
    assert table in text
    remark = 'remark = {"remarks": "2 targets without an image" + ("\\n1 more" if split == "val" else "")}\n        '
    own = text.replace(table, f"{remark}table = pa.table(").replace(
        "    def read(", "        return table.replace_schema_metadata(remark)\n\n    def read(", 1
    )
    toy.recipe.with_name("toy_reader.py").write_text(own)
    plan = _plan(toy)
    assert plan.remarks == ("2 targets without an image", "val: 1 more")
    assert not plan.table.schema.metadata


def test_budgets_are_of_training_images(toy: Any) -> None:
    plan = _plan(toy, max_images=2)
    assert plan.identity.items["train"].count == 2
    assert plan.identity.items["val"].count == 2
    assert plan.identity.options["max_images"] == 2


def test_problems_are_found_before_anything_is_read() -> None:
    keys = ["good", "ü", "a.b", "twice", "twice", "up", "root", "", "dots", "a b"]
    files = [[f"{key}.png"] for key in keys]
    files[5] = ["fine.png", "x/../../etc/passwd"]
    files[6] = ["/etc/passwd"]
    files[8] = ["a/..b/c..d.png"]
    assert problems(_items(keys, files=files)).to_pylist() == [
        None,
        "bad-key",
        "bad-key",
        None,
        "duplicate-key",
        "unsafe-path",
        "unsafe-path",
        "bad-key",
        None,
        "bad-key",
    ]


def test_no_items_no_problems() -> None:
    assert problems(_items([])).to_pylist() == []
    assert thin_out(_items([]), Member(recipe="toy", stride=2, max_images=3)).num_rows == 0
    assert shuffle(_items([]), "toy", "val", 0).num_rows == 0


def test_the_hash_of_the_items_knows_keys_scenes_and_files() -> None:
    base = hash_items(_items(["a", "b"]))
    assert base == hash_items(_items(["a", "b"]))
    assert base != hash_items(_items(["a", "c"]))
    assert base != hash_items(_items(["a", "b"], ["a", "a"]))
    assert base != hash_items(_items(["a", "b"], files=[["a.png"], ["b.jpg"]]))
    chunked = pa.concat_tables([_items(["a"]), _items(["b"])])
    assert base == hash_items(chunked)


def test_the_hash_of_the_items_knows_the_readers_own_columns() -> None:
    plain = _items(["a", "b"])
    turned = plain.append_column("swapped", pa.array([False, True]))
    assert hash_items(turned) != hash_items(plain)
    assert hash_items(turned) != hash_items(plain.append_column("swapped", pa.array([True, False])))
    assert hash_items(turned) != hash_items(plain.append_column("mirrored", pa.array([False, True])))
    more = turned.append_column("crop", pa.array([[0.5], None]))
    assert hash_items(more) == hash_items(more.select(["files", "crop", "swapped", "scene", "key"]))
    assert hash_items(more) != hash_items(turned.append_column("crop", pa.array([[0.5], [0.5]])))


def test_a_changed_reader_file_is_another_build(toy: Any) -> None:
    before = _plan(toy).identity
    with (toy.folder / "toy_reader.py").open("a") as file:
        file.write("\n# changed\n")
    assert _plan(toy).identity.recipe_sha256 != before.recipe_sha256
