"""WSVD: clips and their labels, flow of the user's, eyes in one picture, and the way from videos to samples."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from dpt_bench.core.catalog import RECIPES
from dpt_bench.core.errors import SampleError, UsageError
from dpt_bench.core.recipe import Recipe
from dpt_bench.formats import flo
from dpt_bench.readers.wsvd import Reader
from dpt_bench.scenes import Scene, scenes_for
from dpt_bench.stereo import Clip, extract_clips, join_eyes
from dpt_bench.stereo.clips import decode_clips, encode_clips

RECIPE = RECIPES.load("wsvd")
VIDEO = "-A_ol17l90M"


def with_layout(**changes) -> Recipe:
    return RECIPE.model_copy(update={"layout": {**RECIPE.layout, **changes}})


LENIENT = {"vertical_px": 1e3, "range_px": 0.0, "consistent_fraction": 0.0}
"""So that frames of a few pixels, or with the flow of DIS, are not refused."""


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return list(scenes_for("wsvd", 6, seed=0))


@pytest.fixture
def eyes() -> tuple[np.ndarray, np.ndarray]:
    left, right = np.random.default_rng(0).integers(0, 256, (2, 8, 94, 3)).astype(np.uint8)
    return left, right


def put_frame(put, eyes, *, clip: str = f"{VIDEO}_3", frame: int = 434, split: str = "train") -> None:
    """Pictures, and consistent flow whose disparity is a tenth of the column."""
    columns = np.broadcast_to(np.arange(94, dtype=np.float64), (8, 94))
    flows = np.zeros((2, 8, 94, 2), np.float32)
    flows[0, ..., 0], flows[1, ..., 0] = -0.1 * columns, 0.1 * columns / 0.9
    for eye, picture in zip(("left", "right"), eyes, strict=True):
        put(f"frames/{split}/{clip}/{frame:06d}_{eye}.png", picture)
    for folder, flow in zip(("flow_fw", "flow_bw"), flows, strict=True):
        put(f"{folder}/{split}/{clip}/{frame:06d}.flo", flo.encode(flow))


def only(root: Path, recipe: Recipe = RECIPE, split: str = "train"):
    (row,) = Reader().list(root, recipe, split).to_pylist()
    return Reader().read(root, recipe, row)


def test_a_frame_with_flow(put, tmp_path: Path, eyes) -> None:
    put_frame(put, eyes)
    (row,) = Reader().list(tmp_path, RECIPE, "train").to_pylist()
    assert row["key"] == f"{VIDEO}_3/000434"
    assert row["scene"] == f"{VIDEO}_3"
    assert row["files"][0].endswith("_left.png")
    assert not row["swapped"]
    sample = only(tmp_path)
    np.testing.assert_array_equal(sample.image, eyes[0])
    valid = sample.target.valid
    np.testing.assert_allclose(sample.target.values[valid], np.tile(0.1 * np.arange(94), (8, 1))[valid], rtol=1e-6)
    assert valid.mean() > 0.9


def test_the_official_test_videos_validate(put, tmp_path: Path, eyes) -> None:
    put_frame(put, eyes)
    put_frame(put, eyes, split="test", clip="Z7p1Qiq6SkM_0")
    assert Reader().list(tmp_path, RECIPE, "val")["key"].to_pylist() == ["Z7p1Qiq6SkM_0/000434"]
    (tmp_path / "frames/train").rename(tmp_path / "gone")
    with pytest.raises(UsageError, match="'train' of wsvd is empty"):
        Reader().list(tmp_path, RECIPE, "train")


def test_label_minus_one_puts_the_other_eye_first(put, tmp_path: Path, eyes) -> None:
    put_frame(put, eyes)
    put("lists/train.jsonl", encode_clips([Clip(video=VIDEO, clip=3, frames=(434, 435), label=-1)]))
    table = Reader().list(tmp_path, RECIPE, "train")
    told = {b"listed": b"2", b"extracted": b"1", b"remarks": b"1 of 2 listed frames not extracted"}
    assert table.schema.metadata == told
    (row,) = table.to_pylist()
    assert row["swapped"]
    assert row["files"][0].endswith("_right.png")
    sample = only(tmp_path)
    np.testing.assert_array_equal(sample.image, eyes[1])
    assert np.nanmax(sample.target.values) < 0.01, "here the labels lie: the sign shows it, no rule does"
    turned_back = only(tmp_path, with_layout(flipped=[VIDEO]))
    np.testing.assert_array_equal(turned_back.image, eyes[0])
    assert np.nanmin(turned_back.target.values) > -0.01
    np.testing.assert_array_equal(only(tmp_path, with_layout(eye_order="lr")).image, eyes[0])
    np.testing.assert_array_equal(only(tmp_path, with_layout(eye_order="rl")).image, eyes[1])


def test_flow_without_a_picture_is_told(put, tmp_path: Path, eyes) -> None:
    put_frame(put, eyes)
    put_frame(put, eyes, frame=435)
    for eye in ("left", "right"):
        (tmp_path / f"frames/train/{VIDEO}_3/000435_{eye}.png").unlink()
    table = Reader().list(tmp_path, RECIPE, "train")
    assert table["key"].to_pylist() == [f"{VIDEO}_3/000434"]
    assert table.schema.metadata[b"remarks"] == b"1 frames with flow and without a picture"


def test_the_published_pickle_serves_as_list(put, tmp_path: Path, eyes) -> None:
    put_frame(put, eyes, clip="Z7p1Qiq6SkM_1")
    clips = [{"frames": np.array([1], np.int32), "label": np.int32(label)} for label in (1, -1)]
    put("lists/wsvd_train_clip_frame_ids.pkl", pickle.dumps([{"name": "Z7p1Qiq6SkM.f134", "clips": clips}], protocol=3))
    (row,) = Reader().list(tmp_path, RECIPE, "train").to_pylist()
    assert row["swapped"]


@pytest.mark.parametrize(("name", "content"), [("train.jsonl", "{"), ("wsvd_train_clip_frame_ids.pkl", "x")])
def test_a_damaged_list_is_told(put, tmp_path: Path, eyes, name: str, content: str) -> None:
    put_frame(put, eyes)
    path = put(f"lists/{name}", content)
    with pytest.raises(UsageError, match="list of clips cannot be read") as raised:
        Reader().list(tmp_path, RECIPE, "train")
    assert raised.value.where == str(tmp_path / path)


def test_frames_without_flow_or_eye_are_listed_and_rejected(put, tmp_path: Path, eyes) -> None:
    for frame in (1, 2, 3):
        put_frame(put, eyes, frame=frame)
    (tmp_path / f"flow_bw/train/{VIDEO}_3/000001.flo").unlink()
    (tmp_path / f"frames/train/{VIDEO}_3/000002_left.png").unlink()
    (tmp_path / f"frames/train/{VIDEO}_3/000003_right.png").unlink()
    reasons = []
    for row in Reader().list(tmp_path, RECIPE, "train").to_pylist():
        try:
            Reader().read(tmp_path, RECIPE, row)
            reasons.append("")
        except SampleError as error:
            reasons.append(error.reason if error.where else "nowhere")
    assert reasons == ["missing-target", "missing-file", ""], "the right picture is not needed where flow is given"


def test_flow_of_another_shape_is_rejected(put, tmp_path: Path, eyes) -> None:
    put_frame(put, eyes)
    put(f"frames/train/{VIDEO}_3/000434_left.png", eyes[0][:, :90])
    with pytest.raises(SampleError) as raised:
        only(tmp_path)
    assert raised.value.reason == "shape-mismatch"


def test_what_is_no_frame_is_not_listed(put, tmp_path: Path, eyes) -> None:
    put_frame(put, eyes)
    put(f"frames/train/{VIDEO}_3/clip.json", "{}")
    put(f"frames/train/{VIDEO}_3/.000435_left.png", "x")
    put(f"frames/train/.partial-{VIDEO}_4-x/000001_left.png", "x")
    put(f"frames/train/{VIDEO}_3/000436_middle.png", "x")
    put(f"sky/train/{VIDEO}_3/000999.png", "x")
    assert len(Reader().list(tmp_path, RECIPE, "train")) == 1


@pytest.mark.parametrize("packing", ["full-sbs", "half-sbs", "full-tb", "half-tb"])
@pytest.mark.parametrize("order", ["lr", "rl"])
def test_both_eyes_in_one_picture(tmp_path: Path, scenes: list[Scene], packing: str, order: str) -> None:
    recipe = with_layout(packing=packing, eye_order=order)
    Reader().write_example(tmp_path, recipe, scenes[:1])
    rows = [row for row in Reader().list(tmp_path, recipe, "train").to_pylist() if row["key"].endswith("434")]
    assert [row["swapped"] for row in rows] == [order == "rl"]
    sample = Reader().read(tmp_path, recipe, rows[0])
    difference = np.abs(sample.image.mean(axis=2) - scenes[0].image.mean(axis=2)).mean()
    assert difference < (1e-9 if packing.startswith("full") else 6)
    seen = np.isfinite(sample.target.values)
    np.testing.assert_array_equal(sample.target.values[seen], -scenes[0].right.flow_forward[..., 0][seen])


def test_computed_flow_needs_no_files(tmp_path: Path, scenes: list[Scene]) -> None:
    recipe = with_layout(flow="dis", **LENIENT)
    Reader().write_example(tmp_path, recipe, scenes)
    assert not (tmp_path / "flow_fw").exists()
    for row in Reader().list(tmp_path, recipe, "train").to_pylist():
        sample, scene = Reader().read(tmp_path, recipe, row), scenes[int(row["scene"].rpartition("_")[2])]
        seen = np.isfinite(sample.target.values)
        error = np.abs(sample.target.values[seen] + scene.right.flow_forward[..., 0][seen])
        assert np.median(error) < 1.0, row["key"]
    (swapped,) = [row for row in Reader().list(tmp_path, recipe, "train").to_pylist() if row["swapped"]]
    assert swapped["scene"].endswith("_5")


def test_the_example_s_bad_frames_are_refused_each_for_its_reason(tmp_path: Path, scenes: list[Scene]) -> None:
    Reader().write_example(tmp_path, RECIPE, scenes[:1])
    found = {}
    for row in Reader().list(tmp_path, RECIPE, "train").to_pylist():
        try:
            Reader().read(tmp_path, RECIPE, row)
        except SampleError as error:
            found[row["key"][-3:]] = error.reason
    assert found == {"435": "vertical-disparity", "436": "small-range", "437": "inconsistent-flow"}


def test_from_videos_to_samples(put, tmp_path: Path, scenes: list[Scene], make_video) -> None:
    black = np.zeros_like(scenes[0].image)
    pictures = [join_eyes(black, black, "half-sbs")] * 5
    pictures += [join_eyes(scenes[0].image, scenes[0].right.image, "half-sbs")] * 2
    make_video(f"videos/{VIDEO}.f134.mkv", pictures)
    upright = [np.concatenate([scenes[0].right.image, scenes[0].image])]
    make_video("videos/sample_wld_.mkv", upright)
    clips = [
        {"name": VIDEO, "clips": [{"frames": np.array([6, 5, 99], np.int32), "label": np.int32(1)}]},
        {"name": "sample_wld_", "clips": [{"frames": np.array([0], np.int32), "label": np.int32(-1)}]},
        {"name": "gone_______", "clips": [{"frames": np.array([0], np.int32), "label": np.int32(1)}]},
    ]
    put("lists/wsvd_train_clip_frame_ids.pkl", pickle.dumps(clips, protocol=3))
    recipe = with_layout(flow="dis", video_packing_exceptions=["sample_wld_=full-tb"], **LENIENT)
    plan = Reader().clips(tmp_path, recipe)
    assert list(plan.absent) == ["train/gone________0"]
    assert [clip.video for clip in decode_clips((tmp_path / "lists/train.jsonl").read_bytes())] == [
        video["name"] for video in clips
    ]
    reports = extract_clips(tmp_path, plan.jobs)
    assert [(report.extracted, report.missing, report.error) for report in reports] == [(2, 1, None), (1, 0, None)]
    rows = Reader().list(tmp_path, recipe, "train").to_pylist()
    assert [row["key"] for row in rows] == [f"{VIDEO}_0/000005", f"{VIDEO}_0/000006", "sample_wld__0/000000"]
    for row in rows:
        sample = Reader().read(tmp_path, recipe, row)
        assert np.abs(sample.image.mean(axis=2) - scenes[0].image.mean(axis=2)).mean() < 6
        assert np.nanmedian(sample.target.values) > 0


def test_a_wrong_packing_exception_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="name=packing"):
        Reader().list(tmp_path, with_layout(video_packing_exceptions=["abc=upside-down"]), "train")


def test_extraction_without_lists_is_a_wrong_call(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"wsvd_train_clip_frame_ids\.pkl"):
        Reader().clips(tmp_path, RECIPE)
