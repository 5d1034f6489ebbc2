"""NPY: every plain dtype, no pickles, headers that lie."""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays, boolean_dtypes, floating_dtypes, integer_dtypes
from numpy.typing import NDArray

from dpt_bench.core.errors import FormatError
from dpt_bench.formats import npy

DTYPES = boolean_dtypes() | integer_dtypes() | floating_dtypes(sizes=(16, 32, 64))
ARRAYS = st.tuples(DTYPES, array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5)).flatmap(
    lambda both: arrays(*both)
)


def saved(array: NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


def file_with_header(header: str, pixels: bytes = b"") -> bytes:
    text = header.encode()
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + pixels


@settings(deadline=None)
@given(array=ARRAYS)
def test_round_trip(array: NDArray[Any]) -> None:
    decoded = npy.decode(npy.encode(array))
    assert decoded.dtype == array.dtype.newbyteorder("=")
    assert decoded.shape == array.shape
    np.testing.assert_array_equal(decoded, array)


@settings(deadline=None)
@given(array=ARRAYS)
def test_writes_what_numpy_writes(array: NDArray[Any]) -> None:
    assert npy.encode(array) == saved(np.array(array, order="C"))


@settings(deadline=None)
@given(array=ARRAYS)
def test_reads_what_numpy_writes(array: NDArray[Any]) -> None:
    for stored in (array, np.asfortranarray(array)):
        decoded = npy.decode(saved(stored))
        np.testing.assert_array_equal(decoded, array)
        assert decoded.flags.c_contiguous
        assert decoded.dtype.isnative


def test_format_version_2(depth: NDArray[np.float32]) -> None:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, depth, version=(2, 0))
    np.testing.assert_array_equal(npy.decode(buffer.getvalue()), depth)


def test_native_numbers_are_not_copied(depth: NDArray[np.float32]) -> None:
    data = npy.encode(depth)
    assert np.shares_memory(npy.decode(data), np.frombuffer(data, np.uint8))


class Trap:
    sprung = False

    def __reduce__(self) -> tuple[Any, ...]:
        return setattr, (Trap, "sprung", True)


def test_pickles_are_never_loaded() -> None:
    data = saved(np.array([Trap()], dtype=object))
    with pytest.raises(FormatError, match="pickled objects"):
        npy.decode(data)
    with pytest.raises(FormatError, match="not a NPY file"):
        npy.decode(pickle.dumps(Trap()))
    assert not Trap.sprung


def test_records_are_refused() -> None:
    with pytest.raises(FormatError, match="plain numbers"):
        npy.decode(saved(np.zeros(3, [("a", "f4"), ("b", "i4")])))


def test_more_promised_than_there_is() -> None:
    header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000, 1000000)}\n"
    with pytest.raises(FormatError, match="truncated: 16 bytes"):
        npy.decode(file_with_header(header, bytes(16)))


@pytest.mark.parametrize(
    "header",
    [
        "",
        "[1, 2]",
        "{'descr': '<f4', 'shape': (2,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-2,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2.0,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (True,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': 2}",
        "{'descr': '<f3', 'fortran_order': False, 'shape': (2,)}",
        "{'descr': '|O', 'fortran_order': False, 'shape': (2,)}",
        "{'descr': ['<f4'], 'fortran_order': False, 'shape': (2,)}",
        "__import__('os').getcwd()",
        "(" * 3000,
        "{'descr': \0}",
    ],
)
def test_damaged_headers(header: str) -> None:
    with pytest.raises(FormatError):
        npy.decode(file_with_header(header, bytes(8)))


def test_a_header_longer_than_any_real_one_is_not_parsed() -> None:
    with pytest.raises(FormatError, match="header"):
        npy.decode(file_with_header("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}" + " " * 20_000, bytes(8)))


def test_tartanair_sample(samples: Path) -> None:
    folder = samples / "tartanair/hospital/Easy/P000/depth_left"
    near = npy.decode((folder / "000000_left_depth.npy").read_bytes())
    far = npy.decode((folder / "000188_left_depth.npy").read_bytes())
    for depth_m in (near, far):
        assert depth_m.shape == (480, 640)
        assert depth_m.dtype == np.float32
        assert (depth_m > 0).all()
    assert far.max() == pytest.approx(2984, abs=1)
    assert np.mean(far > 1000) == pytest.approx(0.016, abs=0.001)
