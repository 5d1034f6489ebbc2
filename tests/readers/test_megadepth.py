"""MegaDepth: the filter's order, ordinal files, nested archives, odd photos, and a real file."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from dpt_bench.core.catalog import RECIPES
from dpt_bench.core.errors import SampleError, UsageError
from dpt_bench.formats import hdf5
from dpt_bench.readers.megadepth import Reader, is_ordinal, remove_outliers

RECIPE = RECIPES.load("megadepth")


def depth_like(photo: np.ndarray) -> np.ndarray:
    return np.linspace(1.5, 9.7, photo.shape[0] * photo.shape[1], dtype=np.float32).reshape(photo.shape[:2])


def put_pair(put, photo: np.ndarray, folder: str = "0001/dense0", name: str = "a", ending: str = "jpg") -> None:
    put(f"{folder}/imgs/{name}.{ending}", photo)
    put(f"{folder}/depths/{name}.h5", hdf5.encode({"depth": depth_like(photo)}))


def test_the_far_percentile_goes_first() -> None:
    depth = np.concatenate([np.zeros(7), np.arange(1, 10001)]).astype(np.float32)[None]
    kept = remove_outliers(depth)
    present = np.arange(1, 10001, dtype=np.float64)
    far = np.percentile(present, 98)
    near = np.percentile(present[present <= far], 1)
    np.testing.assert_array_equal(kept[kept > 0], present[(present <= far) & (present >= near)])
    near_first = np.percentile(present, 1)
    assert near < near_first, "in the other order two more pixels would go"
    assert kept[kept > 0].min() < near_first


def test_maps_with_few_pixels_are_left_alone() -> None:
    depth = np.zeros((4, 5), np.float32)
    depth.flat[:10] = np.arange(1, 11)
    np.testing.assert_array_equal(remove_outliers(depth), depth)
    depth.flat[10] = 11
    assert (remove_outliers(depth) > 0).sum() < 11


def test_what_is_below_the_authors_threshold_is_invalid() -> None:
    depth = np.full((5, 5), 2.0, np.float32)
    depth[0] = 1e-9
    kept = remove_outliers(depth)
    assert kept[0].tolist() == [0] * 5
    assert (kept[1:] == 2).all()


@pytest.mark.parametrize(
    ("values", "ordinal"),
    [
        ([0, -1, 2.5, 3.7], True),
        ([0, 1, 2, 3] * 30, True),
        ([0, 1.5, 2.5, 3.5], False),
        (range(1000), False),
        ([0, 0, 0], False),
        ([1.0] * 64 + [1.25], False),
    ],
)
def test_ordinal_maps_are_told_from_depth(values, ordinal: bool) -> None:
    assert is_ordinal(np.array([list(values)], np.float32)) is ordinal


@pytest.mark.parametrize("prefix", ["", "MegaDepth_v1/", "phoenix/S6/zl548/MegaDepth_v1/"])
def test_archives_nest(put, read, photo: np.ndarray, tmp_path: Path, prefix: str) -> None:
    put_pair(put, photo, f"{prefix}0001/dense0")
    put_pair(put, photo, f"{prefix}0015/dense1")
    assert list(read(tmp_path, "megadepth", "train")) == ["0001/dense0/a"]
    (sample,) = read(tmp_path, "megadepth", "val").values()
    assert sample.key == "0015/dense1/a"
    assert sample.sources == (f"{prefix}0015/dense1/imgs/a.jpg", f"{prefix}0015/dense1/depths/a.h5")


def test_grey_and_transparent_photos_become_rgb(put, read, photo: np.ndarray, tmp_path: Path) -> None:
    put_pair(put, photo, name="colour", ending="png")
    put_pair(put, photo[..., 0], name="grey", ending="png")
    put_pair(put, photo, name="clear", ending="png")
    rgba = np.dstack([photo[..., ::-1], np.full(photo.shape[:2], 77, np.uint8)])
    put("0001/dense0/imgs/clear.png", cv2.imencode(".png", rgba)[1].tobytes())
    samples = read(tmp_path, "megadepth", "train")
    np.testing.assert_array_equal(samples["0001/dense0/colour"].image, photo)
    np.testing.assert_array_equal(samples["0001/dense0/clear"].image, photo)
    np.testing.assert_array_equal(samples["0001/dense0/grey"].image, np.repeat(photo[..., :1], 3, axis=2))


def test_upper_case_endings_are_images_and_a_photo_in_two_formats_counts_once(put, photo, tmp_path: Path) -> None:
    put_pair(put, photo)
    put("0001/dense0/imgs/a.JPG", (tmp_path / "0001/dense0/imgs/a.jpg").read_bytes())
    (row,) = Reader().list(tmp_path, RECIPE, "train").to_pylist()
    assert row["files"] == ["0001/dense0/imgs/a.JPG", "0001/dense0/depths/a.h5"]


def test_a_photo_without_depth_is_listed_and_rejected(put, photo, tmp_path: Path) -> None:
    put_pair(put, photo)
    put("0001/dense0/imgs/b.jpg", photo)
    rows = Reader().list(tmp_path, RECIPE, "train").to_pylist()
    assert [row["key"][-1] for row in rows] == ["a", "b"]
    with pytest.raises(SampleError) as raised:
        Reader().read(tmp_path, RECIPE, rows[1])
    assert raised.value.reason == "missing-target"


def test_a_depth_without_a_photo_is_told(put, photo, tmp_path: Path) -> None:
    put_pair(put, photo)
    put_pair(put, photo, name="b")
    (tmp_path / "0001/dense0/depths/a.h5").rename(tmp_path / "0001/dense0/depths/a.H5")
    (tmp_path / "0001/dense0/imgs/b.jpg").unlink()
    table = Reader().list(tmp_path, RECIPE, "train")
    assert [len(files) for files in table["files"].to_pylist()] == [2]
    assert table.schema.metadata == {b"remarks": b"1 targets without an image, such as 0001/dense0/depths/b.h5"}


def test_shapes_that_differ_are_rejected(put, photo, tmp_path: Path) -> None:
    put_pair(put, photo)
    put("0001/dense0/imgs/a.jpg", photo[:-1])
    (row,) = Reader().list(tmp_path, RECIPE, "train").to_pylist()
    with pytest.raises(SampleError) as raised:
        Reader().read(tmp_path, RECIPE, row)
    assert raised.value.reason == "shape-mismatch"


def test_an_empty_split_is_no_wrong_tree(put, photo, tmp_path: Path) -> None:
    put_pair(put, photo)
    with pytest.raises(UsageError, match="'val' of megadepth is empty"):
        Reader().list(tmp_path, RECIPE, "val")


def test_a_real_file(samples: Path, read) -> None:
    """samples/README.md: float32, 55 to 70 % invalid; the filter takes 3 % of the rest."""
    root = samples / "megadepth"
    (sample,) = read(root, "megadepth", "train").values()
    assert sample.key == "0000/dense0/8583256543_96562c14f2_o"
    assert sample.image.shape == (827, 1242, 3)
    stored = hdf5.decode((root / sample.sources[1]).read_bytes(), "depth")
    assert 0.55 < (stored == 0).mean() < 0.70
    kept = sample.target.valid.sum() / (stored > 0).sum()
    assert kept == pytest.approx(0.97, abs=0.002)
    np.testing.assert_array_equal(sample.target.values[sample.target.valid], stored[sample.target.valid])
