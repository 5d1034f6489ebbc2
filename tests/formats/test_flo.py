"""Optical flow files."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from dpt_bench.core.errors import FormatError
from dpt_bench.formats import flo

FLOWS = array_shapes(min_dims=2, max_dims=2, max_side=9).flatmap(lambda shape: arrays(np.float32, (*shape, 2)))


@settings(deadline=None)
@given(array=FLOWS)
def test_round_trip(array: NDArray[np.float32]) -> None:
    decoded = flo.decode(flo.encode(array))
    assert decoded.dtype == np.float32
    np.testing.assert_array_equal(decoded, array)


def test_layout_is_tag_width_height_then_u_and_v() -> None:
    data = struct.pack("<fii4f", 202021.25, 1, 2, 1.5, -2.5, 3.5, -4.5)
    assert flo.decode(data).tolist() == [[[1.5, -2.5]], [[3.5, -4.5]]]
    assert flo.encode(flo.decode(data)) == data


def test_decoding_copies_nothing() -> None:
    data = flo.encode(np.ones((3, 4, 2), np.float32))
    assert np.shares_memory(flo.decode(data), np.frombuffer(data, np.uint8))


@pytest.mark.parametrize("tag", [b"PIEX", struct.pack(">f", 202021.25)])
def test_the_tag_is_checked(tag: bytes) -> None:
    with pytest.raises(FormatError, match="not a flo file"):
        flo.decode(tag + flo.encode(np.ones((2, 2, 2), np.float32))[4:])


@pytest.mark.parametrize(
    ("width", "height"), [(2**31 - 1, 2**31 - 1), (-5, 4), (0, 4), (100_001, 1000), (-(2**31), -(2**31))]
)
def test_absurd_sizes_are_refused(width: int, height: int) -> None:
    with pytest.raises(FormatError, match=f"{width} x {height}"):
        flo.decode(struct.pack("<fii", 202021.25, width, height) + bytes(64))


@pytest.mark.parametrize(("change", "problem"), [(-1, "truncated"), (1, "longer")])
def test_the_length_must_fit(change: int, problem: str) -> None:
    data = flo.encode(np.ones((2, 2, 2), np.float32)) + b"\0"
    with pytest.raises(FormatError, match=problem):
        flo.decode(data[: len(data) - 1 + change])
