"""Patterns, splits, masks and formats of the reader that serves most recipes."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dpt_bench.core.catalog import RECIPES
from dpt_bench.core.errors import SampleError, UsageError
from dpt_bench.core.recipe import Recipe
from dpt_bench.core.toml import check
from dpt_bench.formats import exr, npy, pfm
from dpt_bench.readers._paired_layout import Layout, compile_pattern, fill
from dpt_bench.readers.paired_files import Reader

REDWEB = RECIPES.load("redweb")
PHOTO = np.arange(9, dtype=np.uint8).reshape(1, 3, 3)


def recipe(layout: dict[str, Any], **target: Any) -> Recipe:
    facts = {"kind": "metric_depth", "format": "png16", **target}
    splits = {"train": {}, "val": {}}
    return Recipe.model_validate({**REDWEB.model_dump(), "layout": layout, "target": facts, "splits": splits})


def keys(root: Path, used: Recipe, split: str) -> list[str]:
    return Reader().list(root, used, split)["key"].to_pylist()


def test_redweb_is_negative_disparity_and_255_is_neither_near_nor_valid(put, read, tmp_path: Path) -> None:
    for name in ("a", "b"):
        put(f"ReDWeb_V1/Imgs/{name}.jpg", PHOTO)
        put(f"ReDWeb_V1/RDs/{name}.png", np.array([[0, 128, 255]], np.uint8))
    samples = read(tmp_path, REDWEB, "train") | read(tmp_path, REDWEB, "val")
    assert set(samples) == {"a", "b"}
    target = samples["a"].target
    np.testing.assert_array_equal(target.values, [[255, 127, np.nan]])
    assert target.sky.tolist() == [[False, False, True]]
    assert target.valid.tolist() == [[True, True, False]]


def test_redweb_holds_out_the_tenth_with_the_smallest_sha1(put, tmp_path: Path) -> None:
    names = [f"flickr{number}" for number in range(40)]
    for name in names:
        put(f"Imgs/{name}.jpg", PHOTO)
        put(f"RDs/{name}.png", np.zeros((1, 3), np.uint8))
    held_out = sorted(names, key=lambda name: hashlib.sha1(name.encode()).hexdigest())[:4]
    assert keys(tmp_path, REDWEB, "val") == sorted(held_out)
    assert keys(tmp_path, REDWEB, "train") == sorted(set(names) - set(held_out))


def test_names_stand_for_parts_of_a_component_and_stars_for_any() -> None:
    pattern = compile_pattern("{place}/{batch}/up_png/{stem}_*.png")
    match = pattern.fullmatch("disk/indoor/02. Cafe/1/up_png/in_00_ud.PNG")
    assert match is not None
    assert match.groupdict() == {"place": "02. Cafe", "batch": "1", "stem": "in_00"}
    assert pattern.fullmatch("02. Cafe/1/raw_png/in_00_ud.png") is None
    assert pattern.fullmatch("1/up_png/in_00_ud.png") is None
    assert fill("{place}/{stem}_*.png", {"place": "a", "stem": "b"}) == "a/b_.png"


def test_folders_are_splits(put, tmp_path: Path) -> None:
    own = recipe({"image": "{split}/imgs/{stem}.jpg", "target": "{split}/gts/{stem}.png"})
    for split, name in (("train", "1"), ("train", "2"), ("val", "1")):
        put(f"HR-WSI/{split}/imgs/{name}.jpg", PHOTO)
        put(f"HR-WSI/{split}/gts/{name}.png", np.ones((1, 3), np.uint16))
    assert keys(tmp_path, own, "train") == ["train/1", "train/2"]
    assert keys(tmp_path, own, "val") == ["val/1"]


def test_scenes_are_held_out_by_any_of_their_names(put, tmp_path: Path) -> None:
    layout = {
        "image": "{place}/{date}/{stem}.jpg",
        "target": "{place}/{date}/{stem}.png",
        "val_scenes": ["16. Billiard Hall"],
        "example_scenes": ["02. Cafe/1", "16. Billiard Hall/1"],
    }
    for place in ("02. Cafe", "16. Billiard Hall"):
        put(f"{place}/170721/a.jpg", PHOTO)
        put(f"{place}/170721/a.png", np.ones((1, 3), np.uint16))
    own = recipe(layout)
    (train,) = Reader().list(tmp_path, own, "train").to_pylist()
    assert train["scene"] == "02. Cafe/170721"
    assert train["key"].startswith("02__Cafe/170721/a-")
    assert len(keys(tmp_path, own, "val")) == 1


def test_masks_join_and_a_missing_one_is_told(put, read, tmp_path: Path) -> None:
    layout: dict[str, Any] = {
        "image": "camera_5/{stem}.jpg",
        "target": "disparity/{stem}.png",
        "masks": ["fg_mask/{stem}.png", "bg_mask/{stem}.png"],
    }
    put("camera_5/a.jpg", PHOTO)
    put("disparity/a.png", np.array([[7, 8, 9]], np.uint16))
    own = recipe(layout)
    (row,) = Reader().list(tmp_path, own, "train").to_pylist()
    with pytest.raises(SampleError) as raised:
        Reader().read(tmp_path, own, row)
    assert raised.value.reason == "missing-mask"
    assert Reader().read(tmp_path, recipe({**layout, "masks_required": False}), row).target.valid.all()
    put("fg_mask/a.png", np.array([[65535, 0, 0]], np.uint16))
    put("bg_mask/a.png", np.array([[65535, 65535, 0]], np.uint16))
    (sample,) = read(tmp_path, own, "train").values()
    assert sample.target.valid.tolist() == [[True, True, False]]
    assert sample.sources[2:] == ("bg_mask/a.png", "fg_mask/a.png")


def test_a_confidence_is_a_mask_with_a_threshold(put, read, tmp_path: Path) -> None:
    layout = {"image": "l/{stem}.jpg", "target": "d/{stem}.png", "masks": ["conf/{stem}.png"], "mask_above": 153}
    put("l/a.jpg", PHOTO)
    put("d/a.png", np.array([[7, 8, 9]], np.uint16))
    put("conf/a.png", np.array([[153, 154, 255]], np.uint8))
    (sample,) = read(tmp_path, recipe(layout), "train").values()
    assert sample.target.valid.tolist() == [[False, True, True]]


def test_a_mask_of_another_size_is_rejected(put, tmp_path: Path) -> None:
    own = recipe({"image": "i/{stem}.jpg", "target": "t/{stem}.png", "masks": ["m/{stem}.png"]})
    put("i/a.jpg", PHOTO)
    put("t/a.png", np.ones((1, 3), np.uint16))
    put("m/a.png", np.ones((1, 2), np.uint8))
    (row,) = Reader().list(tmp_path, own, "train").to_pylist()
    with pytest.raises(SampleError) as raised:
        Reader().read(tmp_path, own, row)
    assert (raised.value.reason, raised.value.where) == ("shape-mismatch", "m/a.png")


def test_excluded_files_are_no_images(put, tmp_path: Path) -> None:
    own = recipe({"image": "i/{stem}.jpg", "target": "d/{stem}.png", "exclude": ["*_masked.jpg"]})
    for name in ("0.jpg", "0_masked.jpg"):
        put(f"i/{name}", PHOTO)
    put("d/0.png", np.ones((1, 3), np.uint16))
    assert keys(tmp_path, own, "train") == ["0"]


@pytest.mark.parametrize(
    ("target_format", "name", "data"),
    [
        ("pfm", "a.pfm", pfm.encode(np.array([[0, 1.5, 3.5]], np.float32))),
        ("npy", "a.npy", npy.encode(np.array([[0, 1.5, 3.5]], np.float32))),
        ("exr", "a.exr", exr.encode(np.array([[0, 1.5, 3.5]], np.float32), "G")),
    ],
)
def test_float_formats(put, read, tmp_path: Path, target_format: str, name: str, data: bytes) -> None:
    own = recipe({"image": "{stem}.jpg", "target": name.replace("a.", "{stem}.")}, format=target_format)
    put("a.jpg", PHOTO)
    put(name, data)
    (sample,) = read(tmp_path, own, "train").values()
    np.testing.assert_array_equal(sample.target.values, [[np.nan, 1.5, 3.5]])


def test_codes_of_other_bits_than_the_recipe_says_are_rejected(put, tmp_path: Path) -> None:
    own = recipe({"image": "{stem}.jpg", "target": "{stem}.png"})
    put("a.jpg", PHOTO)
    put("a.png", np.ones((1, 3), np.uint8))
    (row,) = Reader().list(tmp_path, own, "train").to_pylist()
    with pytest.raises(SampleError, match="uint8 codes, the recipe says uint16"):
        Reader().read(tmp_path, own, row)


def test_an_unknown_format_is_the_recipes_fault(put, tmp_path: Path) -> None:
    own = recipe({"image": "{stem}.jpg", "target": "{stem}.tif"}, format="tif")
    put("a.jpg", PHOTO)
    put("a.tif", "x")
    (row,) = Reader().list(tmp_path, own, "train").to_pylist()
    with pytest.raises(UsageError, match="'tif'"):
        Reader().read(tmp_path, own, row)


def test_images_without_any_target_are_a_wrong_tree(put, tmp_path: Path) -> None:
    put("Imgs/a.jpg", PHOTO)
    with pytest.raises(UsageError, match=r"looked for Imgs/\{stem\}\.jpg and RDs/\{stem\}\.png"):
        Reader().list(tmp_path, REDWEB, "train")


@pytest.mark.parametrize(
    ("layout", "message"),
    [
        ({"image": "a.jpg", "target": "a.png"}, r"lacks \{stem\}"),
        ({"image": "{scene}/{stem}.jpg", "target": "{stem}.png"}, "same {names}"),
        ({"image": "{scene}/{stem}.jpg", "target": "{scene}/{stem}.png"}, "example_scenes must name"),
        ({"image": "{stem}.jpg", "target": "{stem}.png", "example_scenes": ["a/b"]}, "must fill"),
        ({"image": "{stem}.jpg", "target": "{stem}.png", "val_scenes": ["a"], "val_fraction": 0.1}, "at most one"),
        ({"image": "{stem}.jpg", "target": "{stem}.png", "val_fraction": 1.0}, "val_fraction"),
        ({"image": "{stem}.jpg", "target": "{stem}.png", "maks": []}, "did you mean 'masks'"),
    ],
)
def test_layouts_that_cannot_work_are_refused(layout: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message.replace("{n", r"\{n")):
        check(layout, Layout, where="recipe.toml")
