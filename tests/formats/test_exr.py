"""OpenEXR: one channel of any name, half and float, RGB files, damage."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import OpenEXR
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from dpt_bench.core.errors import FormatError
from dpt_bench.formats import exr

SHAPES = array_shapes(min_dims=2, max_dims=2, max_side=12)


def written(channels: dict[str, NDArray[np.float32]], **header: object) -> bytes:
    """A file as another program would write it."""
    buffer = io.BytesIO()
    OpenEXR.File({"compression": OpenEXR.PIZ_COMPRESSION, "type": OpenEXR.scanlineimage, **header}, channels).write(
        buffer
    )
    return buffer.getvalue()


@settings(deadline=None, max_examples=50)
@given(array=arrays(np.float32, SHAPES), channel=st.sampled_from(["G", "Z", "Y", "R", "disparity.left"]))
def test_round_trip(array: NDArray[np.float32], channel: str) -> None:
    data = exr.encode(array, channel)
    for decoded in (exr.decode(data), exr.decode(data, channel)):
        assert decoded.dtype == np.float32
        np.testing.assert_array_equal(decoded, array)


@settings(deadline=None, max_examples=50)
@given(array=arrays(np.float16, SHAPES))
def test_round_trip_in_half_precision(array: NDArray[np.float16]) -> None:
    decoded = exr.decode(exr.encode(array.astype(np.float32), half=True))
    assert decoded.dtype == np.float32
    np.testing.assert_array_equal(decoded, array.astype(np.float32))


def test_half_precision_is_smaller(depth: NDArray[np.float32]) -> None:
    noise = np.random.default_rng(0).random((64, 64), dtype=np.float32)
    assert len(exr.encode(noise, half=True)) < 0.7 * len(exr.encode(noise))


def test_the_same_pixels_give_the_same_bytes(depth: NDArray[np.float32]) -> None:
    assert exr.encode(depth) == exr.encode(depth.copy())


def test_channels_of_an_rgb_file_stay_apart(depth: NDArray[np.float32]) -> None:
    data = written({"R": depth, "G": depth + 1, "B": depth + 2})
    np.testing.assert_array_equal(exr.decode(data, "G"), depth + 1)
    with pytest.raises(FormatError, match=r"several channels.*B, G, R"):
        exr.decode(data)


def test_a_missing_channel_is_named(depth: NDArray[np.float32]) -> None:
    with pytest.raises(FormatError, match=r"no channel 'Y'; it has: G"):
        exr.decode(exr.encode(depth, "G"), "Y")


def test_an_absurd_size_is_refused_before_reading_pixels(depth: NDArray[np.float32]) -> None:
    data = exr.encode(depth)
    window = data.index(b"dataWindow\0box2i\0") + len(b"dataWindow\0box2i\0") + 4
    huge = data[: window + 8] + np.array([19_999, 19_999], "<i4").tobytes() + data[window + 16 :]
    with pytest.raises(FormatError, match=r"20000 x 20000|damaged"):
        exr.decode(huge)


@pytest.mark.parametrize("share", [0.1, 0.3, 0.6, 0.99])
def test_truncation_is_named(depth: NDArray[np.float32], share: float) -> None:
    data = exr.encode(np.random.default_rng(0).random((64, 64), dtype=np.float32))
    with pytest.raises(FormatError, match="OpenEXR file is truncated or damaged"):
        exr.decode(data[: int(share * len(data))])


def test_openexr_sample(samples: Path) -> None:
    data = (samples / "openexr/singlepart.0003.exr").read_bytes()
    distance = exr.decode(data, "Z")
    assert distance.shape == (855, 913)  # the data window, a part of the 2048 x 1556 display window
    assert distance.dtype == np.float32
    assert np.isfinite(distance).any()
    np.testing.assert_array_equal(distance, distance.astype(np.float16))  # half float in the file
    with pytest.raises(FormatError, match="disparityL"):
        exr.decode(data)
