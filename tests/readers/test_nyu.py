"""NYU: a MATLAB 7.3 file read a frame at a time, both ways of naming the test frames, and real pairs."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from dpt_bench.core.catalog import RECIPES
from dpt_bench.core.errors import FormatError, UsageError
from dpt_bench.core.provenance import sha256_of_keys
from dpt_bench.formats import images
from dpt_bench.readers.nyu import Reader, write_mat, write_splits

RECIPE = RECIPES.load("nyu")


def frame(number: int, height: int = 2, width: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """A frame in which every pixel and channel is another number."""
    image = (np.arange(height * width * 3).reshape(height, width, 3) + 20 * number).astype(np.uint8)
    depth = (np.arange(height * width).reshape(height, width) + 10 * number).astype(np.float32)
    return image, depth


def write(root: Path, count: int, *, test: list[int] | None) -> None:
    write_mat(root / "nyu_depth_v2_labeled.mat", (frame(number) for number in range(count)))
    if test is not None:
        write_splits(root / "splits.mat", train=[0], test=test)


def test_the_file_has_matlabs_layout(tmp_path: Path) -> None:
    write(tmp_path, 2, test=None)
    path = tmp_path / "nyu_depth_v2_labeled.mat"
    head = path.read_bytes()[:128]
    assert head.startswith(b"MATLAB 7.3 MAT-file")
    assert head[-4:] == b"\x00\x02IM"
    with h5py.File(path) as file:
        assert file["images"].shape == (2, 3, 3, 2), "(N, 3, width, height)"
        assert file["rawDepths"].shape == (2, 3, 2)
        assert file["images"].attrs["MATLAB_class"] == b"uint8"


def test_indices_of_splits_mat_count_from_one_and_axes_are_swapped(tmp_path: Path, read) -> None:
    write(tmp_path, 4, test=[1, 3])
    samples = read(tmp_path, "nyu", "test")
    assert list(samples) == ["0001", "0003"]
    for number in (1, 3):
        image, depth = frame(number)
        sample = samples[f"{number:04d}"]
        np.testing.assert_array_equal(sample.image, image)
        np.testing.assert_array_equal(sample.target.values, np.where(depth > 0, depth, np.nan))


def test_without_splits_mat_our_list_holds(tmp_path: Path) -> None:
    write_mat(tmp_path / "nyu_depth_v2_labeled.mat", (frame(0, 1, 1) for _ in range(1449)))
    table = Reader().list(tmp_path, RECIPE, "test")
    assert table.num_rows == 654
    assert sha256_of_keys(table["key"].to_pylist()) == RECIPE.splits["test"].keys_sha256
    assert b"packaged list" in table.schema.metadata[b"listed_in"]


def test_a_list_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    write(tmp_path, 4, test=None)
    with pytest.raises(UsageError, match="names frame 1448 but the file holds 4"):
        Reader().list(tmp_path, RECIPE, "test")
    write(tmp_path, 4, test=[4])
    with pytest.raises(UsageError, match=r"splits\.mat names frame 4 but the file holds 4"):
        Reader().list(tmp_path, RECIPE, "test")


@pytest.mark.parametrize("content", [b"", b"garbage", b"MATLAB 5.0 MAT-file".ljust(128)])
def test_a_broken_splits_mat_is_told(tmp_path: Path, content: bytes) -> None:
    write(tmp_path, 2, test=None)
    (tmp_path / "splits.mat").write_bytes(content)
    with pytest.raises(UsageError, match="list of test frames cannot be read"):
        Reader().list(tmp_path, RECIPE, "test")


def test_a_broken_mat_is_told(tmp_path: Path) -> None:
    (tmp_path / "nyu_depth_v2_labeled.mat").write_bytes(b"no HDF5")
    with pytest.raises(UsageError, match="not a labelled NYU file"):
        Reader().list(tmp_path, RECIPE, "test")


def test_an_index_beyond_the_file_is_a_rejection(tmp_path: Path) -> None:
    write(tmp_path, 2, test=[1])
    row = {"key": "9", "files": ["nyu_depth_v2_labeled.mat"], "index": 9}
    with pytest.raises(FormatError, match="frame 9 cannot be read"):
        Reader().read(tmp_path, RECIPE, row)


def test_raw_and_filled_depth_are_a_choice(tmp_path: Path) -> None:
    write_mat(tmp_path / "nyu_depth_v2_labeled.mat", [frame(0), frame(1)], filled=True)
    write_splits(tmp_path / "splits.mat", train=[0], test=[1])
    own = RECIPE.model_copy(update={"layout": {**RECIPE.layout, "depths": "depths"}})
    (row,) = Reader().list(tmp_path, own, "test").to_pylist()
    np.testing.assert_array_equal(Reader().read(tmp_path, own, row).target.values, frame(1)[1])


def test_the_same_frames_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(tmp_path / name, 3, test=[1, 2])
    for file in ("nyu_depth_v2_labeled.mat", "splits.mat"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_the_official_splits(samples: Path, tmp_path: Path) -> None:
    """samples/README.md: 795 train, 654 test, 1-based."""
    write_mat(tmp_path / "nyu_depth_v2_labeled.mat", (frame(0, 1, 1) for _ in range(1449)))
    (tmp_path / "splits.mat").write_bytes((samples / "nyu" / "splits.mat").read_bytes())
    table = Reader().list(tmp_path, RECIPE, "test")
    assert table.num_rows == 654
    assert sha256_of_keys(table["key"].to_pylist()) == RECIPE.splits["test"].keys_sha256
    assert table.schema.metadata[b"listed_in"] == b"splits.mat"


def test_real_pairs(samples: Path, tmp_path: Path, read) -> None:
    """samples/README.md: depth 25 to 33 % invalid; the synchronised pairs are written into the .mat layout."""
    frames = []
    for number in ("00000", "00050"):
        image = images.decode_rgb((samples / "nyu" / "rgb" / f"rgb_{number}.jpg").read_bytes())
        codes = images.decode_gray((samples / "nyu" / "depth" / f"sync_depth_{number}.png").read_bytes())
        frames.append((image, (codes / 1000).astype(np.float32)))
    write_mat(tmp_path / "nyu_depth_v2_labeled.mat", [frames[0], *frames])
    write_splits(tmp_path / "splits.mat", train=[0], test=[1, 2])
    for sample, (image, depth) in zip(read(tmp_path, "nyu", "test").values(), frames, strict=True):
        assert sample.image.shape == (480, 640, 3)
        np.testing.assert_array_equal(sample.image, image)
        assert 0.245 < 1 - sample.target.valid.mean() < 0.34
        np.testing.assert_array_equal(sample.target.values[sample.target.valid], depth[depth > 0])
        assert sample.camera is not None
