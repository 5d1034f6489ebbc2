"""TartanAir: doubled folders, AppleDouble files, sky by environment, both floats, and real files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dpt_bench.core.catalog import RECIPES
from dpt_bench.core.errors import UsageError
from dpt_bench.formats import npy
from dpt_bench.readers.tartanair import Reader

RECIPE = RECIPES.load("tartanair")
DEPTH = np.array([[1.0, 2.0, 10000.0], [np.nan, np.inf, 999.0]], np.float32)
PHOTO = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)


def put_frame(put, image_folder: str, depth_folder: str, frame: int = 0, depth: np.ndarray = DEPTH) -> None:
    put(f"{image_folder}/image_left/{frame:06d}_left.png", PHOTO)
    put(f"{depth_folder}/depth_left/{frame:06d}_left_depth.npy", npy.encode(depth))


@pytest.mark.parametrize(
    ("image_folder", "depth_folder"),
    [
        ("ocean/Hard/P004", "ocean/Hard/P004"),
        ("ocean/ocean/Hard/P004", "ocean/ocean/Hard/P004"),
        ("ocean/Hard/image_left/ocean/ocean/Hard/P004", "ocean/Hard/depth_left/ocean/ocean/Hard/P004"),
        ("data/ocean/Hard/image_left/P004", "data/ocean/Hard/depth_left/P004"),
    ],
)
def test_any_doubling_of_folders(put, read, tmp_path: Path, image_folder: str, depth_folder: str) -> None:
    put_frame(put, image_folder, depth_folder)
    (sample,) = read(tmp_path, "tartanair", "train").values()
    assert sample.key == "ocean/Hard/P004/000000"


def test_a_frame_unpacked_twice_counts_once_and_apple_doubles_not_at_all(put, tmp_path: Path) -> None:
    put_frame(put, "ocean/Easy/P000", "ocean/Easy/P000")
    put_frame(put, "ocean/ocean/Easy/P000", "ocean/ocean/Easy/P000")
    put("ocean/Easy/P000/depth_left/._000000_left_depth.npy", "Mac OS X")
    put("ocean/Easy/P000/image_left/._000000_left.png", "Mac OS X")
    put("ocean/Easy/P000/seg_left/000000_left_seg.npy", "x")
    (row,) = Reader().list(tmp_path, RECIPE, "train").to_pylist()
    assert row == {
        "key": "ocean/Easy/P000/000000",
        "scene": "ocean/Easy/P000",
        "files": ["ocean/Easy/P000/image_left/000000_left.png", "ocean/Easy/P000/depth_left/000000_left_depth.npy"],
    }


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_sky_is_valid_and_holes_are_not(put, read, tmp_path: Path, dtype: type) -> None:
    put_frame(put, "ocean/Easy/P000", "ocean/Easy/P000", depth=DEPTH.astype(dtype))
    (sample,) = read(tmp_path, "tartanair", "train").values()
    assert sample.target.sky.tolist() == [[False, False, True], [False, True, False]]
    assert sample.target.valid.tolist() == [[True, True, True], [False, True, True]]
    np.testing.assert_array_equal(sample.target.values, [[1, 2, np.nan], [np.nan, np.nan, 999]])


def test_the_threshold_may_differ_by_environment(put, read, tmp_path: Path) -> None:
    put_frame(put, "ocean/Easy/P000", "ocean/Easy/P000")
    put_frame(put, "japan/Easy/P000", "japan/Easy/P000")
    own = RECIPE.model_copy(update={"layout": {**RECIPE.layout, "sky_from_m_by_environment": ["japan=900"]}})
    samples = read(tmp_path, own, "train")
    assert {key.split("/")[0]: int(sample.target.sky.sum()) for key, sample in samples.items()} == {
        "japan": 3,
        "ocean": 2,
    }


def test_a_wrong_threshold_is_told(put, tmp_path: Path) -> None:
    own = RECIPE.model_copy(update={"layout": {**RECIPE.layout, "sky_from_m_by_environment": ["japan:900"]}})
    with pytest.raises(UsageError, match='not "name=metres"'):
        Reader().list(tmp_path, own, "train")


def test_amusement_has_no_sky_signal_and_says_so(put, read, tmp_path: Path) -> None:
    put_frame(put, "amusement/Easy/P000", "amusement/Easy/P000")
    (sample,) = read(tmp_path, "tartanair", "train").values()
    assert sample.target.sky is None
    assert sample.notes == {"sky": "unreliable"}


def test_one_environment_validates(put, read, tmp_path: Path) -> None:
    for environment in ("abandonedfactory", "abandonedfactory_night"):
        put_frame(put, f"{environment}/Easy/P000", f"{environment}/Easy/P000")
    assert [key.split("/")[0] for key in read(tmp_path, "tartanair", "train")] == ["abandonedfactory"]
    assert [key.split("/")[0] for key in read(tmp_path, "tartanair", "val")] == ["abandonedfactory_night"]


def test_a_missing_partner_is_listed_or_told(put, tmp_path: Path) -> None:
    """Images and depths are archives of their own: one of them may be there alone."""
    put_frame(put, "ocean/Easy/P000", "ocean/Easy/P000")
    put_frame(put, "japan/Easy/P000", "japan/Easy/P000")
    put_frame(put, "abandonedfactory_night/Easy/P000", "abandonedfactory_night/Easy/P000")
    (picture,) = (tmp_path / "japan").rglob("*.png")
    picture.rename(picture.with_suffix(".PNG"))
    table = Reader().list(tmp_path, RECIPE, "train")
    assert [len(files) for files in table["files"].to_pylist()] == [2, 2]
    assert not table.schema.metadata
    (depth,) = (tmp_path / "ocean").rglob("*.npy")
    depth.unlink()
    (tmp_path / picture.with_suffix(".PNG")).unlink()
    table = Reader().list(tmp_path, RECIPE, "train")
    (row,) = table.to_pylist()
    assert row["key"].startswith("ocean")
    assert len(row["files"]) == 1
    told = table.schema.metadata[b"remarks"].decode()
    assert told.startswith("1 targets without an image, such as japan/Easy/P000/depth_left/")
    assert not Reader().list(tmp_path, RECIPE, "val").schema.metadata


def test_real_files(samples: Path, read) -> None:
    """samples/README.md: float32 480 x 640, no zeros; frame 000188 reaches 2984 m, 1.6 % of it is above 1000 m."""
    frames = read(samples / "tartanair", "tartanair", "train")
    assert list(frames) == ["hospital/Easy/P000/000000", "hospital/Easy/P000/000188"]
    for sample in frames.values():
        assert sample.image.shape == (480, 640, 3)
        assert sample.target.valid.all()
        assert sample.camera is not None
    assert not frames["hospital/Easy/P000/000000"].target.sky.any()
    window = frames["hospital/Easy/P000/000188"]
    stored = npy.decode((samples / "tartanair" / window.sources[1]).read_bytes())
    assert stored.max() == pytest.approx(2984, abs=1)
    assert window.target.sky.mean() == pytest.approx(0.016, abs=0.0005)
    assert np.nanmax(window.target.values) < 1000
