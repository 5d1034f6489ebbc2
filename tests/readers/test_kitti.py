"""KITTI: listed frames that exist, either official folder, PNG or JPEG, and real frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dpt_bench.core.catalog import RECIPES
from dpt_bench.core.errors import UsageError
from dpt_bench.readers.kitti import Reader

RECIPE = RECIPES.load("kitti")
DRIVE = "2011_09_26_drive_0002"
CODES = np.array([[0, 256, 21734]], np.uint16)
PHOTO = np.arange(9, dtype=np.uint8).reshape(1, 3, 3)


def raw(drive: str, frame: int, ending: str = "png") -> str:
    return f"{drive[:10]}/{drive}_sync/image_02/data/{frame:010d}.{ending}"


def annotated(drive: str, frame: int, part: str = "val") -> str:
    return f"data_depth_annotated/{part}/{drive}_sync/proj_depth/groundtruth/image_02/{frame:010d}.png"


@pytest.mark.parametrize(
    ("image", "depth"),
    [
        (raw(DRIVE, 6), annotated(DRIVE, 6)),
        (raw(DRIVE, 6, "jpg"), annotated(DRIVE, 6, "train")),
        (f"raw/{raw(DRIVE, 6)}", annotated(DRIVE, 6).removeprefix("data_depth_annotated/")),
    ],
)
def test_where_a_frame_may_lie(put, read, tmp_path: Path, image: str, depth: str) -> None:
    put(image, PHOTO)
    put(depth, CODES)
    (sample,) = read(tmp_path, "kitti", "midas161").values()
    assert sample.key == f"{DRIVE}/0000000006"
    np.testing.assert_array_equal(sample.target.values, [[np.nan, 1, 21734 / 256]])
    assert sample.target.valid.tolist() == [[False, True, True]]


def test_only_listed_frames_with_both_files_count_and_the_rest_is_reported(put, tmp_path: Path) -> None:
    for frame in (6, 9, 7):  # 7 is in no list
        put(raw(DRIVE, frame), PHOTO)
        put(annotated(DRIVE, frame), CODES)
    put(raw(DRIVE, 12), PHOTO)
    put(raw(DRIVE, 0), PHOTO)  # a frame of the 697 that has no annotated depth
    midas = Reader().list(tmp_path, RECIPE, "midas161")
    assert midas["key"].to_pylist() == [f"{DRIVE}/0000000006", f"{DRIVE}/0000000009"]
    assert midas["scene"].to_pylist() == [DRIVE, DRIVE]
    assert midas.schema.metadata == {b"listed": b"161", b"missing_images": b"158", b"missing_depths": b"159"}
    eigen = Reader().list(tmp_path, RECIPE, "eigen697")
    assert eigen["key"].equals(midas["key"])
    assert eigen.schema.metadata[b"listed"] == b"697"
    assert RECIPE.splits["eigen697"].images == 697


def test_images_without_any_depth_are_a_wrong_tree(put, tmp_path: Path) -> None:
    put(raw(DRIVE, 6), PHOTO)
    with pytest.raises(UsageError, match="data_depth_annotated/val/2011_10_03_drive_0047_sync"):
        Reader().list(tmp_path, RECIPE, "midas161")


def test_the_example_goes_on_after_the_161_and_ends_with_the_652(tmp_path: Path) -> None:
    from dpt_bench.readers.kitti import _by_size, _frames

    frames = list(dict.fromkeys(frame for split in _by_size(RECIPE) for frame in _frames(RECIPE, split)))
    assert len(frames) == 652
    assert set(frames[:161]) == set(_frames(RECIPE, "midas161"))


def test_real_frames(samples: Path, put, read, tmp_path: Path) -> None:
    """samples/README.md: 375 x 1242, 79 to 80 % of the depth is invalid, 84.9 m at most; the drive is not recorded."""
    for source, frame in ((5, 6), (50, 9)):
        put(raw(DRIVE, frame), (samples / "kitti" / "rgb" / f"{source:010d}.png").read_bytes())
        put(annotated(DRIVE, frame), (samples / "kitti" / "depth" / f"{source:010d}.png").read_bytes())
    frames = read(tmp_path, "kitti", "midas161")
    assert len(frames) == 2
    for sample in frames.values():
        assert sample.image.shape == (375, 1242, 3)
        assert 0.79 < 1 - sample.target.valid.mean() < 0.81
    farthest = max(np.nanmax(sample.target.values) for sample in frames.values())
    assert farthest == pytest.approx(84.9, abs=0.05)
