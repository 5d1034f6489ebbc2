"""Sintel's depth files."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from dpt_bench.core.errors import FormatError
from dpt_bench.formats import sintel_dpt


@settings(deadline=None)
@given(array=arrays(np.float32, array_shapes(min_dims=2, max_dims=2, max_side=9)))
def test_round_trip(array: NDArray[np.float32]) -> None:
    decoded = sintel_dpt.decode(sintel_dpt.encode(array))
    assert decoded.shape == array.shape
    assert decoded.dtype == np.float32
    np.testing.assert_array_equal(decoded, array)


def test_a_frame_has_the_published_length() -> None:
    assert len(sintel_dpt.encode(np.ones((436, 1024), np.float32))) == 1_785_868


def test_layout_is_tag_width_height_then_rows() -> None:
    data = struct.pack("<fii", 202021.25, 3, 2) + np.arange(6, dtype="<f4").tobytes()
    assert sintel_dpt.decode(data).tolist() == [[0, 1, 2], [3, 4, 5]]


def test_the_tag_is_checked() -> None:
    with pytest.raises(FormatError, match="not a Sintel"):
        sintel_dpt.decode(struct.pack("<fii", 202021.0, 1, 1) + bytes(4))


def test_truncation_is_noticed_in_header_and_pixels() -> None:
    data = sintel_dpt.encode(np.ones((2, 2), np.float32))
    for length in (6, 11, 12, len(data) - 1):
        with pytest.raises(FormatError, match="truncated"):
            sintel_dpt.decode(data[:length])
