"""TUM: HDF5 files by the list, raw sequences by time, and a real sequence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpt_bench.core.catalog import RECIPES
from dpt_bench.core.errors import SampleError, UsageError
from dpt_bench.formats import hdf5, images
from dpt_bench.readers._tum_raw import associate, read_list
from dpt_bench.readers.tum import Reader, microseconds

RECIPE = RECIPES.load("tum")
FIRST = f"ZL1tYG0uZu4_{microseconds(8)}.jpg.h5"


def encoded(colour: float = 0.5, **more: np.ndarray) -> bytes:
    depth = np.array([[0, 1e-9, 1.5], [2.5, 3.5, np.nan]], np.float32)
    return hdf5.encode({"gt/img_1": np.full((2, 3, 3), colour, np.float32), "gt/gt_depth": depth, **more})


def test_names_are_microseconds_at_30_hertz() -> None:
    assert FIRST == "ZL1tYG0uZu4_266667.jpg.h5"


def test_listed_files_anywhere_below_the_root(put, read, tmp_path: Path) -> None:
    put(f"tum_hdf5/{FIRST}", encoded())
    put("tum_hdf5/ZL1tYG0uZu4_1.jpg.h5", encoded())  # not in the list
    samples = read(tmp_path, "tum", "midas1815")
    assert list(samples) == ["ZL1tYG0uZu4/266667"]
    sample = samples["ZL1tYG0uZu4/266667"]
    assert (sample.image == 128).all()
    np.testing.assert_array_equal(sample.target.values, np.float32([[np.nan, np.nan, 1.5], [2.5, 3.5, np.nan]]))
    remarks = Reader().list(tmp_path, RECIPE, "midas1815").schema.metadata
    assert remarks == {b"listed": b"1815", b"missing": b"1814"}


def test_the_camera_of_the_file(put, read, tmp_path: Path) -> None:
    matrix = np.array([[428, 0, 256], [0, 429, 192], [0, 0, 1]], np.float32)
    put(FIRST, encoded(**{"gt/intrinsic": matrix}))
    (sample,) = read(tmp_path, "tum", "midas1815").values()
    assert sample.camera is not None
    assert (sample.camera.fx, sample.camera.fy, sample.camera.cx, sample.camera.cy) == (428, 429, 256, 192)


@pytest.mark.parametrize("colour", [2.0, -0.5, np.nan])
def test_colours_outside_zero_to_one_are_rejected(put, tmp_path: Path, colour: float) -> None:
    put(FIRST, encoded(colour))
    (row,) = Reader().list(tmp_path, RECIPE, "midas1815").to_pylist()
    with pytest.raises(SampleError) as raised:
        Reader().read(tmp_path, RECIPE, row)
    assert raised.value.reason == "bad-image"


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(0, 400), max_size=12, unique=True), st.lists(st.integers(0, 400), max_size=12, unique=True))
def test_association_is_greedy_unique_and_within_the_window(first: list[int], second: list[int]) -> None:
    colour, depth = [step / 200 for step in first], [step / 200 for step in second]
    pairs = associate(colour, depth, 0.021)
    assert len({a for a, _ in pairs}) == len({b for _, b in pairs}) == len(pairs)
    gaps = sorted((abs(colour[a] - depth[b]), a, b) for a in range(len(colour)) for b in range(len(depth)))
    expected: dict[int, int] = {}
    for gap, a, b in gaps:
        if gap < 0.021 and a not in expected and b not in expected.values():
            expected[a] = b
    assert dict(pairs) == expected


def test_the_window_is_open() -> None:
    assert associate([0.0], [0.02], 0.02) == []
    assert associate([0.0, 0.5], [0.5, 0.0], 0.02) == [(0, 1), (1, 0)]


def put_sequence(put, name: str, colour: list[float], depth: list[float]) -> None:
    for kind, stamps in (("rgb", colour), ("depth", depth)):
        put(f"{name}/{kind}.txt", "# a comment\n" + "".join(f"{t:.6f} {kind}/{t:.6f}.png\n" for t in stamps))
        for stamp in stamps:
            array = np.full((2, 3, 3), 9, np.uint8) if kind == "rgb" else np.array([[0, 5000, 65535]] * 2, np.uint16)
            put(f"{name}/{kind}/{stamp:.6f}.png", array)


def test_raw_sequences_are_paired_by_time_not_by_row(put, read, tmp_path: Path) -> None:
    put_sequence(put, "rgbd_dataset_x", [1.0, 1.1, 1.2], [1.09, 1.205, 1.5])
    samples = read(tmp_path, "tum", "raw")
    assert list(samples) == ["rgbd_dataset_x/1_100000", "rgbd_dataset_x/1_200000"]
    sample = samples["rgbd_dataset_x/1_100000"]
    assert sample.sources == ("rgbd_dataset_x/rgb/1.100000.png", "rgbd_dataset_x/depth/1.090000.png")
    np.testing.assert_allclose(sample.target.values[0], [np.nan, 1.0, 13.107], rtol=1e-6)


def test_a_row_without_its_file_is_skipped_and_its_partner_not_given_away(put, tmp_path: Path) -> None:
    put_sequence(put, "rgbd_dataset_x", [1.0, 1.012], [1.001, 1.03])
    (tmp_path / "rgbd_dataset_x/depth/1.001000.png").unlink()
    table = Reader().list(tmp_path, RECIPE, "raw")
    assert table["key"].to_pylist() == ["rgbd_dataset_x/1_012000"]
    assert table.schema.metadata == {b"listed": b"2", b"missing": b"1"}


def test_a_tree_of_raw_sequences_alone_serves_the_midas_split_too(put, tmp_path: Path) -> None:
    put_sequence(put, "rgbd_dataset_x", [1.0], [1.0])
    assert Reader().list(tmp_path, RECIPE, "midas1815").num_rows == 1
    put(f"tum_hdf5/{FIRST}", encoded())
    assert Reader().list(tmp_path, RECIPE, "midas1815")["key"].to_pylist() == ["ZL1tYG0uZu4/266667"]


@pytest.mark.parametrize("text", ["1.0\n", "now rgb/a.png\n"])
def test_a_broken_list_is_told(put, tmp_path: Path, text: str) -> None:
    put("x/rgb.txt", text)
    with pytest.raises(UsageError, match="the list cannot be read"):
        read_list(tmp_path, "x/rgb.txt")


def test_a_list_that_names_a_path_outside_is_harmless(put, tmp_path: Path) -> None:
    put_sequence(put, "rgbd_dataset_x", [1.0], [1.0])
    put("rgbd_dataset_x/rgb.txt", "1.0 ../../../etc/hostname\n")
    with pytest.raises(UsageError, match="looked for"):
        Reader().list(tmp_path, RECIPE, "raw")


def test_a_real_sequence(samples: Path, read) -> None:
    """samples/README.md: 6 pairs, lists of 613 and 595 rows, stamps 9 to 15 ms apart, 17 to 18 % invalid."""
    root = samples / "tum"
    sequence = "rgbd_dataset_freiburg1_desk"
    colour, depth = (read_list(root, f"{sequence}/{name}.txt") for name in ("rgb", "depth"))
    assert (len(colour), len(depth)) == (613, 595)
    frames = read(root, "tum", "raw")
    assert len(frames) == 6
    for sample in frames.values():
        stamps = [float(Path(source).stem) for source in sample.sources]
        assert 0.009 < abs(stamps[0] - stamps[1]) < 0.0155
        assert sample.image.shape == (480, 640, 3)
        assert 0.165 < 1 - sample.target.valid.mean() < 0.185
        codes = images.decode_gray((root / sample.sources[1]).read_bytes())
        np.testing.assert_allclose(sample.target.values[codes > 0], codes[codes > 0] / 5000, rtol=1e-6)
