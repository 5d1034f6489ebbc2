"""HDF5 in memory."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from dpt_bench.core.errors import FormatError
from dpt_bench.formats import hdf5

ARRAYS = st.sampled_from(["f2", "f4", "f8", "u1", "u2", ">i4"]).flatmap(
    lambda dtype: arrays(dtype, array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=6))
)


@settings(deadline=None, max_examples=50)
@given(array=ARRAYS)
def test_round_trip(array: NDArray[Any]) -> None:
    decoded = hdf5.decode(hdf5.encode({"depth": array}), "depth")
    assert decoded.dtype == array.dtype.newbyteorder("=")
    assert np.shape(decoded) == array.shape
    np.testing.assert_array_equal(decoded, array)


def test_several_datasets_and_groups(depth: NDArray[np.float32]) -> None:
    data = hdf5.encode({"gt/gt_depth": depth, "gt/img_1": np.ones((2, 3, 3)), "depths": depth + 1})
    np.testing.assert_array_equal(hdf5.decode(data, "/gt/gt_depth"), depth)
    np.testing.assert_array_equal(hdf5.decode(data, "depths"), depth + 1)


def test_the_same_arrays_give_the_same_bytes(depth: NDArray[np.float32]) -> None:
    assert hdf5.encode({"a": depth, "b": depth}) == hdf5.encode({"a": depth.copy(), "b": depth})


def test_a_missing_dataset_lists_those_there_are(depth: NDArray[np.float32]) -> None:
    with pytest.raises(FormatError, match=r"no dataset 'depth'; it has: disparity, mask"):
        hdf5.decode(hdf5.encode({"mask": depth > 1, "disparity": depth}), "depth")


def test_a_group_and_a_text_are_not_numbers() -> None:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file["gt/depth"] = np.ones(3)
        file["name"] = "a text"
    for name in ("gt", "name"):
        with pytest.raises(FormatError, match="plain numbers"):
            hdf5.decode(buffer.getvalue(), name)


def test_too_many_numbers_are_refused_before_reading() -> None:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file.create_dataset("depth", shape=(200_000, 200_000), dtype="f4", chunks=(100, 100))
    assert len(buffer.getvalue()) < 10_000
    with pytest.raises(FormatError, match="200000") as caught:
        hdf5.decode(buffer.getvalue(), "depth")
    assert caught.value.reason == "too-large"


def test_other_files_of_the_machine_are_not_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret.bin"
    secret.write_bytes(np.arange(6, dtype="<f4").tobytes())
    other = tmp_path / "other.h5"
    with h5py.File(other, "w") as file:
        file["depth"] = np.ones(6, np.float32)
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file.create_dataset("outside", (6,), "f4", external=[(str(secret), 0, 24)])
        file["linked"] = h5py.ExternalLink(str(other), "/depth")
        layout = h5py.VirtualLayout((6,), "f4")
        layout[:] = h5py.VirtualSource(str(other), "depth", (6,))
        file.create_virtual_dataset("virtual", layout)
    for name in ("outside", "linked", "virtual"):
        with pytest.raises(FormatError):
            hdf5.decode(buffer.getvalue(), name)


def test_a_user_block_may_come_first(tmp_path: Path, depth: NDArray[np.float32]) -> None:
    path = tmp_path / "matlab.mat"
    with h5py.File(path, "w", userblock_size=512) as file:
        file["depths"] = depth
    np.testing.assert_array_equal(hdf5.decode(path.read_bytes(), "depths"), depth)


@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
def test_truncation(share: float) -> None:
    data = hdf5.encode({"depth": np.random.default_rng(0).random((100, 100))})
    with pytest.raises(FormatError, match="truncated or damaged"):
        hdf5.decode(data[: int(len(data) * share)], "depth")


def test_megadepth_sample(samples: Path) -> None:
    (path,) = (samples / "megadepth").rglob("*.h5")
    depth = hdf5.decode(path.read_bytes(), "depth")
    assert depth.dtype == np.float32
    assert 0.55 <= np.mean(depth == 0) <= 0.70
    assert (depth >= 0).all()
