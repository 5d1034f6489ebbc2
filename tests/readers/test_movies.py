"""3D Movies: the official maps and their codes, flow, both eyes alone, lists, swapped films, refusals, extraction."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dpt_bench.conversion.convert_sample import normalised_inverse_depth
from dpt_bench.core.catalog import RECIPES
from dpt_bench.core.errors import SampleError, UsageError
from dpt_bench.core.recipe import Recipe
from dpt_bench.formats import flo, images, npy, npz
from dpt_bench.readers.movies import Reader
from dpt_bench.scenes import Scene, scenes_for
from dpt_bench.stereo import extract_clips, png_maps

RECIPE = RECIPES.load("movies")
FRAME = "exodus/chapter2/out00000005"


def with_layout(**changes) -> Recipe:
    return RECIPE.model_copy(update={"layout": {**RECIPE.layout, **changes}})


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return list(scenes_for("movies", 6, seed=0))


@pytest.fixture
def ramp() -> np.ndarray:
    """Disparity (4, 940) from -3 to 9 px, a map's official width."""
    return np.tile(np.linspace(-3, 9, 940, dtype=np.float32), (4, 1))


@pytest.fixture
def picture() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (8, 1880, 3)).astype(np.uint8)


def put_maps(put, picture: np.ndarray, disparity: np.ndarray, codes: np.ndarray | None = None, frame=FRAME) -> None:
    put(f"image_left/{frame}.png", picture)
    put(f"disparity/{frame}.png", png_maps.encode_disparity(disparity))
    put(f"uncertainty/{frame}.png", np.zeros(disparity.shape, np.uint8) if codes is None else codes)


def put_flow(put, shape: tuple[int, int], frame: str = FRAME, ending: str = "flo") -> np.ndarray:
    """Consistent flow of a slanted plane, and its disparity."""
    height, width = shape
    columns = np.broadcast_to(np.arange(width, dtype=np.float64), shape)
    forward, backward = np.zeros((2, height, width, 2), np.float32)
    forward[..., 0], backward[..., 0] = -0.1 * columns, 0.1 * columns / 0.9
    encode = {"flo": flo.encode, "npy": npy.encode, "npz": npz.encode}[ending]
    put(f"flow_forward/{frame}.{ending}", encode(forward))
    put(f"flow_backward/{frame}.{ending}", encode(backward))
    return -forward[..., 0]


def only(root: Path, recipe: Recipe = RECIPE, split: str = "train"):
    (row,) = Reader().list(root, recipe, split).to_pylist()
    return Reader().read(root, recipe, row)


def reason(root: Path, recipe: Recipe = RECIPE) -> str:
    with pytest.raises(SampleError) as raised:
        only(root, recipe)
    assert raised.value.where
    return raised.value.reason


def test_official_maps(put, tmp_path: Path, picture, ramp) -> None:
    put_maps(put, picture, ramp)
    sample = only(tmp_path)
    assert sample.key == FRAME
    assert sample.image.shape == (4, 940, 3), "the picture is brought to the maps' size"
    blocks = picture.reshape(4, 2, 940, 2, 3).mean(axis=(1, 3))
    assert np.abs(sample.image - blocks).max() <= 0.51
    np.testing.assert_allclose(sample.target.values, ramp, atol=12 / 65535)
    assert sample.target.valid.all()
    assert sample.target.sky is None
    assert sample.notes == {"disparity_from": "map", "swapped": 0}


def test_at_the_official_width_code_10_is_the_last_valid_one(put, tmp_path: Path, picture, ramp) -> None:
    codes = np.tile(np.arange(940) % 10, (4, 1)).astype(np.uint8)
    codes[0, :4] = 9, 10, 11, 255
    put_maps(put, picture, ramp, codes)
    target = only(tmp_path).target
    assert target.valid[0, :4].tolist() == [True, True, False, False]
    assert np.isnan(target.values[0, 2])
    assert target.valid.sum() == target.valid.size - 2


def test_thresholds_follow_the_width_of_the_maps(put, tmp_path: Path) -> None:
    disparity = np.tile(np.linspace(0, 2, 94, dtype=np.float32), (8, 1))  # 10 px of 1880 columns are 0.5 px of 94
    codes = np.zeros(disparity.shape, np.uint8)
    codes[0, :3] = 0, 1, 2
    put_maps(put, np.zeros((8, 94, 3), np.uint8), disparity, codes)
    assert only(tmp_path).target.valid[0, :3].tolist() == [True, True, False]
    unscaled = only(tmp_path, with_layout(threshold_width=0.0, range_px=1.0))
    assert unscaled.target.valid.all()


def test_maps_are_held_to_the_rules_that_they_can_show(put, tmp_path: Path, picture, ramp) -> None:
    put_maps(put, picture, ramp / 3)
    assert reason(tmp_path) == "small-range"
    put_maps(put, picture, ramp, np.where(np.arange(940) < 650, 0, 40).astype(np.uint8)[None].repeat(4, 0))
    assert reason(tmp_path) == "inconsistent-flow"


def test_half_a_pair_of_maps_is_none(put, tmp_path: Path, picture, ramp) -> None:
    put_maps(put, picture, ramp)
    (tmp_path / f"uncertainty/{FRAME}.png").unlink()
    assert reason(tmp_path) == "missing-mask"
    put(f"uncertainty/{FRAME}.png", np.zeros((4, 90), np.uint8))
    assert reason(tmp_path) == "shape-mismatch"
    put(f"disparity/{FRAME}.png", np.zeros((4, 940), np.uint16))
    assert reason(tmp_path) == "missing-scale"


def test_a_picture_smaller_than_its_map_is_refused(put, tmp_path: Path, picture, ramp) -> None:
    put_maps(put, picture[:, :900], ramp)
    assert reason(tmp_path) == "shape-mismatch"


@pytest.mark.parametrize("ending", ["flo", "npy", "npz"])
def test_flow_takes_the_place_of_maps(put, tmp_path: Path, picture, ending: str) -> None:
    put(f"image_left/{FRAME}.jpg", picture)
    disparity = put_flow(put, (8, 1880), ending=ending)
    sample = only(tmp_path)
    assert sample.image.shape == (8, 1880, 3)
    np.testing.assert_array_equal(sample.target.values[sample.target.valid], disparity[sample.target.valid])
    assert sample.target.valid.mean() > 0.99


def test_flow_of_half_the_resolution_brings_the_picture_down(put, tmp_path: Path, picture) -> None:
    put(f"image_left/{FRAME}.jpg", picture)
    put_flow(put, (4, 940))
    assert only(tmp_path).image.shape == (4, 940, 3)


def test_flow_one_way_is_no_target(put, tmp_path: Path, picture) -> None:
    put(f"image_left/{FRAME}.jpg", picture)
    put_flow(put, (8, 1880))
    (tmp_path / f"flow_backward/{FRAME}.flo").unlink()
    assert reason(tmp_path) == "missing-target"


def test_sky_has_the_minimum_of_the_image_and_is_valid(put, tmp_path: Path, picture, ramp) -> None:
    codes = np.zeros(ramp.shape, np.uint8)
    codes[:, :100] = 99
    put_maps(put, picture, ramp, codes)
    mask = np.zeros((4, 1024), np.uint8)  # segmented at 1024 columns, as the authors did
    mask[:, 512:] = 255
    put(f"sky/{FRAME}.png", mask)
    assert reason(tmp_path) == "shape-mismatch", "another aspect is another picture"
    put(f"sky/{FRAME}.png", np.repeat(mask[:1, :], 4, axis=0)[:, :940])
    target = only(tmp_path).target
    assert target.sky.sum() == 4 * (940 - 512)
    assert target.valid[:, 512:].all()
    assert not target.valid[:, :100].any()
    inverse, _, lo, hi = normalised_inverse_depth(target, "minimum")
    assert (inverse[:, 512:] == 0).all()
    assert lo == pytest.approx(ramp[0, 100], abs=1e-3)
    assert hi == pytest.approx(ramp[0, 511], abs=1e-3)


def test_frames_that_no_list_names_need_a_target_and_the_others_are_counted(put, tmp_path: Path, picture, ramp) -> None:
    put_maps(put, picture, ramp)
    put("image_left/exodus/chapter2/out00000099.png", picture)
    table = Reader().list(tmp_path, RECIPE, "train")
    assert table["key"].to_pylist() == [FRAME]
    assert table.schema.metadata == {b"remarks": b"1 frames without a map or flow"}


def test_lists_make_the_splits_and_tell_what_is_missing(put, tmp_path: Path, picture, ramp) -> None:
    frames = [f"{film}/chapter2/out{number:08d}" for film in ("exodus", "gatsby") for number in (1, 2)]
    for frame in frames:
        put_maps(put, picture, ramp, frame=frame)
    put("lists/train.txt", f"{frames[0]}\r\nexodus/chapter9/out00000001\r\n{frames[3]}\n")
    put("lists/validation.txt", f"{frames[2]}\n")
    table = Reader().list(tmp_path, RECIPE, "train")
    assert table["key"].to_pylist() == [frames[0], frames[3]]
    told = {b"listed": b"3", b"missing": b"1", b"remarks": b"1 of 3 listed frames not found"}
    assert table.schema.metadata == told
    assert Reader().list(tmp_path, RECIPE, "val")["key"].to_pylist() == [frames[2]]
    with pytest.raises(UsageError, match="'test' of movies is empty"):
        Reader().list(tmp_path, RECIPE, "test")


def test_without_lists_films_make_the_splits_and_frames_without_target_are_no_items(put, tmp_path: Path, picture, ramp):
    for film in ("exodus", "gatsby", "streetdance"):
        put_maps(put, picture, ramp, frame=f"{film}/chapter2/out00000001")
        put(f"image_left/{film}/chapter2/out00000002.jpg", picture)
    for split, film in (("train", "exodus"), ("val", "gatsby"), ("test", "streetdance")):
        table = Reader().list(tmp_path, RECIPE, split)
        assert table["key"].to_pylist() == [f"{film}/chapter2/out00000001"]
        assert table["scene"].to_pylist() == [f"{film}/chapter2"]


def test_a_listed_frame_without_target_and_a_map_without_picture_are_rejected(
    put, tmp_path: Path, picture, ramp
) -> None:
    put_maps(put, picture, ramp)
    (tmp_path / f"image_left/{FRAME}.png").unlink()
    other = FRAME[:-1] + "6"
    put(f"image_left/{other}.jpg", picture)
    put("lists/train.txt", f"{FRAME}\n{other}\n")
    reasons = []
    for row in Reader().list(tmp_path, RECIPE, "train").to_pylist():
        with pytest.raises(SampleError) as raised:
            Reader().read(tmp_path, RECIPE, row)
        reasons.append(raised.value.reason)
    assert reasons == ["missing-file", "missing-target"]


def test_folders_above_and_junk_beside_do_not_matter(put, tmp_path: Path, picture, ramp) -> None:
    put_maps(put, picture, ramp)
    for path in sorted(tmp_path.iterdir()):
        (tmp_path / "3DVideos" / "data").mkdir(parents=True, exist_ok=True)
        if path.name != "3DVideos":
            path.rename(tmp_path / "3DVideos" / "data" / path.name)
    put("image_left/exodus/chapter2/clip.json", "{}")
    put("image_left/exodus/chapter2/Thumbs.db", "x")
    assert only(tmp_path).key == FRAME


def test_a_film_with_swapped_eyes_is_turned_round_by_the_recipe(put, tmp_path: Path, picture, ramp) -> None:
    put_maps(put, picture, ramp)
    flipped = with_layout(flipped=["exodus"])
    np.testing.assert_allclose(only(tmp_path, flipped).target.values, -ramp, atol=12 / 65535)
    both = with_layout(flipped=["exodus"], eye_order="rl")
    np.testing.assert_allclose(only(tmp_path, both).target.values, ramp, atol=12 / 65535)


def test_with_flow_the_other_eye_takes_the_place_of_the_first(tmp_path: Path, scenes: list[Scene]) -> None:
    scene = scenes[5]
    swapped = with_layout(flipped=["hugo"])
    Reader().write_example(tmp_path, swapped, [scene])
    (row,) = [
        row
        for row in Reader().list(tmp_path, swapped, "train").to_pylist()
        if not row["key"].endswith(("36", "37", "38"))
    ]
    sample = Reader().read(tmp_path, swapped, row)
    assert row["files"][0].startswith("image_right/")
    np.testing.assert_allclose(
        sample.target.values[sample.target.valid], -scene.right.flow_forward[..., 0][sample.target.valid]
    )
    assert np.abs(sample.image.mean(axis=2) - scene.image.mean(axis=2)).mean() < 4
    wrong = Reader().read(tmp_path, RECIPE, {**row, "swapped": False})
    assert np.median(wrong.target.values[wrong.target.valid]) < 0, "unnoticed by the rules"
    (tmp_path / row["files"][0]).unlink()
    (row,) = [other for other in Reader().list(tmp_path, swapped, "train").to_pylist() if other["key"] == row["key"]]
    with pytest.raises(SampleError) as raised:
        Reader().read(tmp_path, swapped, row)
    assert raised.value.reason == "missing-file"


@pytest.mark.parametrize("packing", ["separate", "full-sbs", "full-tb", "half-sbs", "half-tb"])
@pytest.mark.parametrize("flow", ["files", "dis"])
def test_every_variant_that_the_example_can_write_is_read(tmp_path: Path, scenes, packing: str, flow: str) -> None:
    recipe = with_layout(packing=packing, flow=flow, vertical_px=1e3, consistent_fraction=0.0)
    Reader().write_example(tmp_path, recipe, scenes[:2])
    assert (tmp_path / "image").is_dir() is (packing != "separate")
    rows = {row["key"]: row for row in Reader().list(tmp_path, recipe, "train").to_pylist()}
    for scene, key in zip(scenes, [FRAME, "exodus/chapter3/out00000011"], strict=False):
        sample = Reader().read(tmp_path, recipe, rows[key])
        assert sample.image.shape == scene.image.shape
        assert np.abs(sample.image.mean(axis=2) - scene.image.mean(axis=2)).mean() < 6
        true, valid = -scene.right.flow_forward[..., 0], np.isfinite(sample.target.values)
        error = np.abs(sample.target.values[valid] - true[valid])
        assert np.median(error) < (1e-3 if flow == "files" else 1.0)


def test_the_map_s_disparity_is_that_of_the_geometry_to_half_a_step(tmp_path: Path, scenes: list[Scene]) -> None:
    Reader().write_example(tmp_path, RECIPE, scenes[:1])
    row = next(row for row in Reader().list(tmp_path, RECIPE, "train").to_pylist() if row["key"] == FRAME)
    sample, scene = Reader().read(tmp_path, RECIPE, row), scenes[0]
    true = scene.camera.fx * scene.camera.baseline_m / scene.depth_m.astype(np.float64)
    step = float(images.png_text((tmp_path / f"disparity/{FRAME}.png").read_bytes())["scale"])
    valid = np.isfinite(sample.target.values)
    assert np.abs(sample.target.values[valid] - true[valid]).max() <= step / 2 + 1e-5
    assert sample.target.valid.mean() > 0.8


def test_the_example_s_bad_frames_are_refused_each_for_its_reason(tmp_path: Path, scenes: list[Scene]) -> None:
    Reader().write_example(tmp_path, RECIPE, scenes[:1])
    found = {}
    for row in Reader().list(tmp_path, RECIPE, "train").to_pylist():
        try:
            Reader().read(tmp_path, RECIPE, row)
        except SampleError as error:
            found[row["key"][-1]] = error.reason
    assert found == {"6": "vertical-disparity", "7": "small-range", "8": "inconsistent-flow"}


def test_raft_needs_weights(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="raft_weights"):
        Reader().list(tmp_path, with_layout(flow="raft"), "train")
    recipe = with_layout(flow="raft", raft_weights="absent.pth")
    picture = np.zeros((128, 128, 3), np.uint8)
    for eye in ("left", "right"):
        place = tmp_path / f"image_{eye}/{FRAME}.png"
        place.parent.mkdir(parents=True)
        place.write_bytes(images.encode_png(picture))
    with pytest.raises(UsageError, match=r"absent\.pth"):
        only(tmp_path, recipe)


def film(make_video, scene: Scene, **options) -> Path:
    """A side-by-side film with bars: black, then the scene from 0.5 s on."""
    eyes = np.concatenate([np.pad(eye, ((8, 8), (4, 4), (0, 0))) for eye in (scene.image, scene.right.image)], axis=1)
    dark = np.zeros_like(eyes)
    return make_video("videos/exodus.mkv", [dark] * 12 + [eyes] * 3, **options)


def test_from_a_film_to_samples(put, tmp_path: Path, scenes: list[Scene], make_video) -> None:
    film(make_video, scenes[0], chapters_s=[0, 0.5])
    put("lists/train.txt", f"{FRAME[:-1]}1\n{FRAME[:-1]}3\nexodus/chapter7/out00000001\nhugo/chapter2/out00000001\n")
    recipe = with_layout(
        video_crop_rows=16, video_crop_columns=8, flow="dis", vertical_px=1e3, consistent_fraction=0.0, range_px=0.0
    )
    plan = Reader().clips(tmp_path, recipe)
    assert plan.absent == {
        "exodus/chapter7": "the film has 2 chapters",
        "hugo/chapter2": "videos/hugo.mkv was not found",
    }
    (report,) = extract_clips(tmp_path, plan.jobs)
    assert (report.extracted, report.missing) == (2, 0)
    table = Reader().list(tmp_path, recipe, "train")
    assert table["key"].to_pylist() == [f"{FRAME[:-1]}1", f"{FRAME[:-1]}3"]
    sample = Reader().read(tmp_path, recipe, table.to_pylist()[1])
    assert np.abs(sample.image.astype(int) - scenes[0].image).mean() < 6
    assert np.median(sample.target.values[sample.target.valid]) > 0


def test_chapter_times_of_the_official_script_come_first(put, tmp_path: Path, scenes, make_video) -> None:
    film(make_video, scenes[0])
    put("lists/train.txt", f"{FRAME[:-1]}1\n")
    assert Reader().clips(tmp_path, RECIPE).absent == {"exodus/chapter2": "the film has 0 chapters"}
    put("image_meta/exodus/timingChapters.txt", "0.000000,0.500000\n0.500000,0.625000\n")
    (job,) = Reader().clips(tmp_path, RECIPE).jobs
    assert (job.start_s, job.frames, job.first_number, job.crop) == (0.5, (0,), 1, (280, 40))
    put("image_meta/exodus/timingChapters.txt", "start,end\n")
    with pytest.raises(UsageError, match="times of the chapters"):
        Reader().clips(tmp_path, RECIPE)


def test_extraction_without_lists_or_into_shared_pictures_is_a_wrong_call(put, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"validation\.txt"):
        Reader().clips(tmp_path, RECIPE)
    with pytest.raises(UsageError, match="one picture an eye"):
        Reader().clips(tmp_path, with_layout(packing="half-sbs"))
