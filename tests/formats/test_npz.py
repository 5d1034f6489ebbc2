from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from dpt_bench.core.errors import FormatError
from dpt_bench.formats import npy, npz


@settings(deadline=None, max_examples=40)
@given(hnp.arrays(st.sampled_from([np.float32, np.float16, np.int32]), hnp.array_shapes(max_dims=3, max_side=5)))
def test_round_trip(array: np.ndarray) -> None:
    data = npz.encode(array)
    np.testing.assert_array_equal(npz.decode(data), array)
    assert data == npz.encode(array)
    with np.load(io.BytesIO(data)) as archive:
        np.testing.assert_array_equal(archive["arr_0"], array)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_numpy_s_own_files_are_read(save) -> None:
    buffer = io.BytesIO()
    flow = np.arange(12, dtype=np.float32).reshape(2, 3, 2)
    save(buffer, flow=flow)
    np.testing.assert_array_equal(npz.decode(buffer.getvalue()), flow)


def test_two_arrays_are_one_too_many() -> None:
    buffer = io.BytesIO()
    np.savez(buffer, np.zeros(2), np.zeros(3))
    with pytest.raises(FormatError, match="2 arrays"):
        npz.decode(buffer.getvalue())


def test_pickles_are_refused() -> None:
    buffer = io.BytesIO()
    np.savez(buffer, np.array([{"a": 1}], dtype=object))
    with pytest.raises(FormatError, match="pickled"):
        npz.decode(buffer.getvalue())


@pytest.mark.parametrize("length", [0, 4, 30, 60, -30, -1])
def test_truncated_files_are_format_errors(length: int) -> None:
    data = npz.encode(np.arange(1000, dtype=np.float32))
    with pytest.raises(FormatError):
        npz.decode(data[:length])


def test_a_damaged_content_is_found() -> None:
    data = bytearray(npz.encode(np.arange(1000, dtype=np.float32)))
    data[len(data) // 2] ^= 0xFF
    with pytest.raises(FormatError, match="damaged"):
        npz.decode(bytes(data))


def test_a_bomb_is_refused_before_it_is_inflated() -> None:
    data = npz.encode(np.zeros(1_000_000, np.uint8))
    assert len(data) < 10_000
    with pytest.raises(FormatError) as raised:
        npz.decode(data, max_bytes=1000)
    assert raised.value.reason == "too-large"


def test_encrypted_members_are_refused() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("arr_0.npy", npy.encode(np.zeros(3)))
    data = bytearray(buffer.getvalue())
    for header in (data.index(b"PK\x03\x04") + 6, data.index(b"PK\x01\x02") + 8):
        data[header] |= 1
    with pytest.raises(FormatError, match="damaged"):
        npz.decode(bytes(data))
