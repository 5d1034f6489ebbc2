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
from dpt_bench.formats import exr, images, npy, pfm, raw_float32, sintel_dpt
from dpt_bench.readers._paired_layout import Layout, compile_pattern, fill
from dpt_bench.readers.paired_files import Reader
from dpt_bench.scenes import scenes_for

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


@pytest.mark.parametrize("postfix", ["up", "ud_2", "depth_filled", "1"])
def test_a_star_takes_what_no_image_is_called(postfix: str, put, read, tmp_path: Path) -> None:
    """DIML's depth maps bear a postfix that nobody has published; a stem that another stem begins with stays apart."""
    diml = RECIPES.load("diml")
    for place in ("01. Warehouse", "16. Billiard Hall"):
        for number, stem in enumerate(("in_k_1", "in_k_1_2")):
            put(f"indoor/{place}/160804/1/col/{stem}_c.png", PHOTO)
            codes = np.array([[0, 1000 + number, 65535]], np.uint16)
            put(f"indoor/{place}/160804/1/up_png/{stem}_{postfix}.png", codes)
    for sample in (read(tmp_path, diml, "train") | read(tmp_path, diml, "val")).values():
        metres = 1.001 if "in_k_1_2" in sample.sources[0] else 1.0
        np.testing.assert_allclose(sample.target.values, [[np.nan, metres, np.nan]], rtol=1e-6)
        assert sample.sources[1].split("/")[-1].startswith(sample.sources[0].split("/")[-1].removesuffix("c.png"))


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
        ({"image": "{stem}.jpg", "target": "{scene}/{stem}.png"}, "no {names} that image has not"),
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


def test_targets_may_serve_several_passes_and_lists_name_the_frames(put, read, tmp_path: Path) -> None:
    for film in ("final", "clean"):
        for frame in (1, 2, 99):
            put(f"training/{film}/alley_1/frame_{frame:04d}.png", PHOTO)
    for frame in (1, 2, 99):
        put(f"training/depth/alley_1/frame_{frame:04d}.dpt", sintel_dpt.encode(np.full((1, 3), frame, np.float32)))
    sintel = RECIPES.load("sintel")
    samples = read(tmp_path, sintel, "clean")
    assert list(samples) == ["clean/alley_1/0001", "clean/alley_1/0002"], "frame 99 is in no list"
    assert samples["clean/alley_1/0002"].target.values.tolist() == [[2, 2, 2]]
    assert samples["clean/alley_1/0002"].sources[1] == "training/depth/alley_1/frame_0002.dpt"


def test_a_split_without_a_list_has_what_no_list_has(put, tmp_path: Path) -> None:
    irs = RECIPES.load("irs")
    for number in (5, 6, 13):  # the official list has every seventh frame of this room, from 6 on
        put(f"Home/ModernHotelRoom/l_{number:05d}.png", PHOTO)
        put(f"Home/ModernHotelRoom/d_{number:05d}.exr", exr.encode(np.ones((1, 3), np.float32), "G"))
    put("Home/ModernHotelRoom/l_20.png", PHOTO)  # older archives do not pad
    assert keys(tmp_path, irs, "train") == ["Home/ModernHotelRoom/00005"]
    assert keys(tmp_path, irs, "val") == [f"Home/ModernHotelRoom/{name}" for name in ("00006", "00013", "20")]


def test_bad_images_are_rejected_by_name_and_by_size(put, tmp_path: Path) -> None:
    irs = RECIPES.load("irs")
    folder = "IRSDataset/Restaurant/SCLRestaurant001_NightFall"
    disparities = {"1": [[1, 2, 3]], "377": [[1, 2, 3]], "378": [[1, 2, 4]], "379": [[1, 2, 3, 4]]}
    for name, disparity in disparities.items():
        put(f"{folder}/l_{name}.png", PHOTO)
        put(f"{folder}/d_{name}.exr", exr.encode(np.array(disparity, np.float32), "G"))
    rows = {row["files"][0][-7:-4]: row for row in Reader().list(tmp_path, irs, "train").to_pylist()}
    reasons = {}
    for name, row in rows.items():
        try:
            assert Reader().read(tmp_path, irs, row).target.values[0, 2] == pytest.approx(3 / 48)
        except SampleError as error:
            reasons[name] = error.reason
    assert reasons == {"377": "known-bad", "378": "implausible-target", "379": "shape-mismatch"}


def test_an_exr_file_with_several_channels_gives_the_named_one(put, read, samples: Path, tmp_path: Path) -> None:
    """samples/README.md: a half-float file with RGBA and Z, in the place of IRS."""
    (source,) = (samples / "openexr").glob("*.exr")
    depth = exr.decode(source.read_bytes(), "Z")
    put("a.exr", source.read_bytes())
    put("a.png", np.zeros((*depth.shape, 3), np.uint8))
    own = recipe({"image": "{stem}.png", "target": "{stem}.exr", "channel": "Z"}, format="exr")
    (sample,) = read(tmp_path, own, "train").values()
    np.testing.assert_array_equal(sample.target.values[sample.target.valid], depth[sample.target.valid])


def test_a_target_of_another_size_is_fitted_only_where_the_aspect_agrees(put, tmp_path: Path) -> None:
    diml = RECIPES.load("diml")
    small = np.array([[1000, 2000], [3000, 0]], np.uint16)
    for name, photo in (("a", (4, 4, 3)), ("b", (4, 6, 3))):
        put(f"indoor/02. Cafe/1/1/col/{name}_c.png", np.zeros(photo, np.uint8))
        put(f"indoor/02. Cafe/1/1/up_png/{name}_ud.png", small)
    first, second = Reader().list(tmp_path, diml, "train").to_pylist()
    values = Reader().read(tmp_path, diml, first).target.values
    np.testing.assert_allclose(values[::2, ::2], [[1, 2], [3, np.nan]], rtol=1e-6)
    np.testing.assert_array_equal(values[1::2, 1::2], values[::2, ::2])
    with pytest.raises(SampleError) as raised:
        Reader().read(tmp_path, diml, second)
    assert raised.value.reason == "shape-mismatch"


def test_blendedmvs_leaves_masked_twins_out_and_rejects_empty_maps(put, tmp_path: Path) -> None:
    blended = RECIPES.load("blendedmvs")
    scene = "57f8d9bbe73f6760f10e916a"
    for number, depth in enumerate((np.ones((1, 3)), np.zeros((1, 3)))):
        for tail in ("", "_masked"):
            put(f"{scene}/blended_images/{number:08d}{tail}.jpg", PHOTO)
        put(f"{scene}/rendered_depth_maps/{number:08d}.pfm", pfm.encode(depth.astype(np.float32)))
    full, empty = Reader().list(tmp_path, blended, "train").to_pylist()
    assert Reader().read(tmp_path, blended, full).target.valid.all()
    with pytest.raises(SampleError) as raised:
        Reader().read(tmp_path, blended, empty)
    assert raised.value.reason == "too-few-valid"


def test_apolloscape_leaves_the_test_set_out(put, tmp_path: Path) -> None:
    apollo = RECIPES.load("apolloscape")
    for part in ("stereo_train_001", "stereo_test"):
        for number in range(3):
            put(f"{part}/camera_5/{number}_Camera_5.jpg", PHOTO)
            put(f"stereo_train_001/disparity/{number}_Camera_5.png", np.ones((1, 3), np.uint16))
    assert len(keys(tmp_path, apollo, "train") + keys(tmp_path, apollo, "val")) == 3


def test_apolloscape_counts_in_pixels_or_in_parts_of_them(put, read, tmp_path: Path) -> None:
    """The site calls disparity 200 times too large: a map of such numbers, wider than the image, is no worse."""
    codes = np.full((4, 8), 200 * 163, np.uint16)
    codes[0, :2], codes[1, 0] = 65535, 0
    for number in range(2):
        put(f"stereo_train_001/camera_5/{number}.jpg", np.zeros((4, 8, 3), np.uint8))
        put(f"stereo_train_001/disparity/{number}.png", codes)
    target = next(iter(read(tmp_path, "apolloscape", "train").values())).target
    np.testing.assert_array_equal(target.valid, (codes > 0) & (codes < 65535))
    assert (target.values[target.valid] == 200 * 163).all()


def test_a_real_apolloscape_frame(samples: Path, put, read, tmp_path: Path) -> None:
    """samples/README.md: whole pixels 2..163, 65535 (46.6 %) exactly where neither mask is set; no RGB is there."""
    name = "171206_034559609_Camera_5.png"
    for folder in ("disparity", "fg_mask", "bg_mask"):
        put(f"stereo_train_001/{folder}/{name}", (samples / "apolloscape" / folder / name).read_bytes())
    put(f"stereo_train_001/camera_5/{name[:-3]}jpg", np.zeros((2710, 3384, 3), np.uint8))
    (sample,) = read(tmp_path, "apolloscape", "val").values()
    assert 1 - sample.target.valid.mean() == pytest.approx(0.466, abs=0.001)
    found = sample.target.values[sample.target.valid]
    assert (found.min(), found.max()) == (2, 163)
    assert (found == np.round(found)).all()


def test_hrwsi_keeps_zero_which_is_the_farthest(put, read, tmp_path: Path) -> None:
    put("HR-WSI/val/imgs/7.jpg", PHOTO)
    put("HR-WSI/val/gts/7.png", np.array([[0, 128, 255]], np.uint8))
    put("HR-WSI/val/valid_masks/7.png", np.array([[255, 255, 0]], np.uint8))
    (sample,) = read(tmp_path, "hrwsi", "val").values()
    np.testing.assert_array_equal(sample.target.values, [[0, 128, np.nan]])


def test_eth3d_depth_is_named_like_a_photo_and_infinity_is_invalid(put, read, tmp_path: Path) -> None:
    put("office/images/dslr_images/DSC_0219.JPG", images.encode_jpeg(np.zeros((2, 3, 3), np.uint8)))
    depth = np.array([[1, 2, np.inf], [4, 5, 6]], np.float32)
    put("office_dslr_depth/office/ground_truth_depth/dslr_images/DSC_0219.JPG", raw_float32.encode(depth))
    (sample,) = read(tmp_path, "eth3d", "dslr454").values()
    np.testing.assert_array_equal(sample.target.values, [[1, 2, np.nan], [4, 5, 6]])


def test_an_example_tree_ends_with_its_list(tmp_path: Path) -> None:
    sintel = RECIPES.load("sintel")
    short = sintel.model_copy(update={"layout": {**sintel.layout, "example_scenes": ["ambush_6"]}})
    scenes = list(scenes_for("sintel", 1, seed=0)) * 21
    with pytest.raises(UsageError, match="no more listed images"):
        Reader().write_example(tmp_path, short, scenes)


def _remarks(root: Path, used: Recipe, split: str = "train") -> list[str]:
    metadata = Reader().list(root, used, split).schema.metadata or {}
    return metadata.get(b"remarks", b"").decode().splitlines()


def test_what_is_in_no_row_is_told(put, tmp_path: Path) -> None:
    """A download that stopped, a second copy and a folder more: none of it goes without a word."""
    own = recipe({"image": "{split}/imgs/{stem}.jpg", "target": "{split}/gts/{stem}.png"})
    for split in ("train", "val", "test"):
        put(f"{split}/imgs/1.jpg", PHOTO)
        put(f"{split}/gts/1.png", np.ones((1, 3), np.uint16))
    assert _remarks(tmp_path, own) == ["1 images in the folder test, which is no split"]
    put("train/gts/2.png", np.ones((1, 3), np.uint16))
    put("copy/train/imgs/1.jpg", PHOTO)
    assert _remarks(tmp_path, own) == _remarks(tmp_path, own, "val")
    assert _remarks(tmp_path, own) == [
        "1 targets without an image, such as train/gts/2.png",
        "1 images there twice, such as train/imgs/1.jpg",
        "1 images in the folder test, which is no split",
    ]


def test_listed_images_that_are_not_there_are_told(put, tmp_path: Path) -> None:
    irs = RECIPES.load("irs")
    for number in range(1, 40):
        put(f"Restaurant/DinerEnvironment/l_{number}.png", PHOTO)
        put(f"Restaurant/DinerEnvironment/d_{number}.exr", exr.encode(np.ones((1, 3), np.float32), "G"))
    found = len(keys(tmp_path, irs, "val"))
    assert _remarks(tmp_path, irs, "val") == [f"{14762 - found:,} of 14,762 listed images not found"]
    assert _remarks(tmp_path, irs) == []


def test_a_tree_that_differs_a_little_is_read_all_the_same(put, tmp_path: Path) -> None:
    """Upper case, spaces, a folder more, links and files of other kinds."""
    own = recipe({"image": "Imgs/{stem}.jpg", "target": "RDs/{stem}.png", "exclude": ["_masked.jpg"]})
    put("my copy/ReDWeb V1/imgs/a picture.JPG", images.encode_jpeg(PHOTO))
    put("my copy/ReDWeb V1/RDS/a picture.PNG", np.ones((1, 3), np.uint16))
    put("my copy/ReDWeb V1/imgs/a picture_MASKED.JPG", images.encode_jpeg(PHOTO))
    put("my copy/ReDWeb V1/imgs/Thumbs.db", b"of a system")
    put("elsewhere/b.jpg", PHOTO)
    put("elsewhere/b.png", np.ones((1, 3), np.uint16))
    (tmp_path / "my copy/ReDWeb V1/imgs/b.jpg").symlink_to(tmp_path / "elsewhere/b.jpg")
    (tmp_path / "my copy/ReDWeb V1/RDS/b.png").symlink_to(tmp_path / "elsewhere/b.png")
    (tmp_path / "my copy/ReDWeb V1/imgs/c.jpg").symlink_to(tmp_path / "gone.jpg")
    rows = {row["files"][0].rpartition("/")[2]: row for row in Reader().list(tmp_path, own, "train").to_pylist()}
    assert rows.keys() == {"a picture.JPG", "b.jpg", "c.jpg"}
    for name in ("a picture.JPG", "b.jpg"):
        assert Reader().read(tmp_path, own, rows[name]).target.valid.all()
    with pytest.raises(SampleError) as raised:
        Reader().read(tmp_path, own, rows["c.jpg"])
    assert raised.value.reason == "missing-target"


@pytest.mark.parametrize(("name", "folder"), [("indoor", "warehouse/{}"), ("outdoor", "{}")])
def test_dimls_sample_release_is_read_in_high_resolution(name: str, folder: str, put, read, tmp_path: Path) -> None:
    """Folders and names of train-datasets 3.2; LR shows the same pictures again."""
    inside = {"indoor": ("color", "depth_filled", None), "outdoor": ("outleft", "depthmap", "confidencemap")}[name]
    tails = {"indoor": ("_c", "_depth_filled", None), "outdoor": ("", "", "")}[name]
    contents = PHOTO, np.array([[0, 1000, 2000]], np.uint16), np.array([[200, 153, 154]], np.uint8)
    for part in ("train", "test"):
        for size in ("HR", "LR"):
            for where, tail, content in zip(inside, tails, contents, strict=True):
                if where is not None:
                    put(f"{name}/{part}/{size}/{folder.format(where)}/7{tail}.png", content)
    for split, part in (("train", "train"), ("val", "test")):
        (sample,) = read(tmp_path, f"diml_sample_{name}", split).values()
        assert f"/{part}/HR/" in f"/{sample.sources[0]}"
        expected = [[np.nan, 1.0 if name == "indoor" else np.nan, 2.0]]
        np.testing.assert_allclose(sample.target.values, expected, rtol=1e-6)
