"""PFM: byte order, row order, the ignored scale, headers as found in the wild."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from dpt_bench.core.errors import FormatError
from dpt_bench.formats import pfm

MAPS = arrays(np.float32, array_shapes(min_dims=2, max_dims=2, max_side=9))
COLOURS = array_shapes(min_dims=2, max_dims=2, max_side=6).flatmap(lambda shape: arrays(np.float32, (*shape, 3)))


@settings(deadline=None)
@given(array=MAPS | COLOURS, little_endian=st.booleans(), scale=st.floats(1e-6, 1e6))
def test_round_trip(array: NDArray[np.float32], little_endian: bool, scale: float) -> None:
    decoded = pfm.decode(pfm.encode(array, little_endian=little_endian, scale=scale))
    assert decoded.dtype == np.float32
    assert decoded.flags.c_contiguous
    np.testing.assert_array_equal(decoded, array)


def test_rows_run_from_the_bottom_up() -> None:
    data = b"Pf\n2 2\n-1.0\n" + np.array([3, 4, 1, 2], "<f4").tobytes()
    assert pfm.decode(data).tolist() == [[1, 2], [3, 4]]
    assert pfm.encode(np.array([[1, 2], [3, 4]], np.float32)) == data


@pytest.mark.parametrize("scale", ["1", "2.0", "0.003922", "1e-3", "+255"])
def test_the_magnitude_of_the_scale_changes_nothing(scale: str) -> None:
    data = f"Pf\n2 1\n{scale}\n".encode() + np.array([5, 7], ">f4").tobytes()
    assert pfm.decode(data).tolist() == [[5, 7]]


@pytest.mark.parametrize(
    "header",
    [b"Pf \n2 1 \n-1.0 \n", b"Pf\r\n2 1\r\n-1.0\r\n", b"Pf 2 1 -1.0\n", b"Pf\n2\n1\n-1\n", b"Pf\t\n2 1\t\n-1.0\t\n"],
)
def test_headers_of_the_wild(header: bytes) -> None:
    assert pfm.decode(header + np.array([5, 7], "<f4").tobytes()).tolist() == [[5, 7]]


def test_pixels_that_look_like_blanks_are_pixels() -> None:
    blanks = np.frombuffer(b" \n\t\r" * 2, "<f4")
    assert pfm.decode(b"Pf\n2 1\n-1.0\n" + b" \n\t\r" * 2).tolist() == [blanks.tolist()]


@pytest.mark.parametrize("scale", ["0", "nan", "inf", "-", "abc"])
def test_a_scale_without_a_sign_is_refused(scale: str) -> None:
    with pytest.raises(FormatError, match="byte order"):
        pfm.decode(f"Pf\n2 1\n{scale}\n".encode() + bytes(8))


@pytest.mark.parametrize("size", ["0 5", "-1 5", "999999999 999999999", "x 5", ""])
def test_absurd_sizes_are_refused(size: str) -> None:
    with pytest.raises(FormatError, match=r"header|x"):
        pfm.decode(f"Pf\n{size}\n-1.0\n".encode() + bytes(64))


def test_middlebury_sample(samples: Path) -> None:
    disparity = pfm.decode((samples / "middlebury2014/Motorcycle/disp0GT.pfm").read_bytes())
    assert disparity.shape == (497, 741)
    assert np.mean(np.isinf(disparity)) == pytest.approx(0.021, abs=0.001)
    finite = disparity[np.isfinite(disparity)]
    assert 1 < finite.min() < finite.max() < 100  # pixels: the header's 0.003922 multiplies nothing
    assert np.median(finite_rows(disparity[-60:])) > np.median(
        finite_rows(disparity[:60])
    )  # the floor is at the bottom


def test_sceneflow_sample(samples: Path) -> None:
    data = (samples / "sceneflow/disparity/left/A-0032-0006.pfm").read_bytes()
    assert data[:4] == b"Pf \n"
    disparity = pfm.decode(data)
    assert disparity.shape == (540, 960)
    assert np.isfinite(disparity).all()
    assert disparity.min() > 0


def finite_rows(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return rows[np.isfinite(rows)]
