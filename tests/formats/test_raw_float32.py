"""ETH3D's headerless depth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from dpt_bench.core.errors import FormatError
from dpt_bench.formats import raw_float32


@settings(deadline=None)
@given(array=arrays(np.float32, array_shapes(min_dims=2, max_dims=2, max_side=9)))
def test_round_trip(array: NDArray[np.float32]) -> None:
    height, width = array.shape
    decoded = raw_float32.decode(raw_float32.encode(array), height=height, width=width)
    np.testing.assert_array_equal(decoded, array)


def test_infinity_stays_infinity() -> None:
    decoded = raw_float32.decode(np.array([np.inf, 2.5], "<f4").tobytes(), height=1, width=2)
    assert decoded.tolist() == [[np.inf, 2.5]]


def test_rows_are_never_transposed() -> None:
    assert raw_float32.decode(np.arange(6, dtype="<f4").tobytes(), height=2, width=3).tolist() == [[0, 1, 2], [3, 4, 5]]


def test_a_wrong_size_is_noticed() -> None:
    data = raw_float32.encode(np.ones((4, 6), np.float32))
    with pytest.raises(FormatError, match=r"\(4, 5\)"):
        raw_float32.decode(data, height=4, width=5)
