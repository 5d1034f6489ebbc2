"""Compressed targets: standard inside and out, deterministic, and no bombs."""

from __future__ import annotations

import io

import numpy as np
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from dpt_bench.core.errors import FormatError
from dpt_bench.formats import npy, npy_zst


@settings(deadline=None)
@given(array=arrays(np.uint16, array_shapes(min_dims=2, max_dims=2, max_side=30)))
def test_round_trip(array: NDArray[np.uint16]) -> None:
    decoded = npy_zst.decode(npy_zst.encode(array))
    assert decoded.dtype == np.uint16
    np.testing.assert_array_equal(decoded, array)


def test_standard_tools_read_it(depth: NDArray[np.float32]) -> None:
    plain = zstandard.ZstdDecompressor().decompress(npy_zst.encode(depth))
    np.testing.assert_array_equal(np.load(io.BytesIO(plain)), depth)


def test_the_same_pixels_give_the_same_bytes(depth: NDArray[np.float32]) -> None:
    assert npy_zst.encode(depth) == npy_zst.encode(depth.copy())


def test_the_frame_states_size_and_checksum(depth: NDArray[np.float32]) -> None:
    facts = zstandard.get_frame_parameters(npy_zst.encode(depth))
    assert facts.content_size == len(npy.encode(depth))
    assert facts.has_checksum


def test_a_bomb_is_refused_before_memory_is_reserved() -> None:
    bomb = zstandard.ZstdCompressor(level=19).compress(bytes(50_000_000))
    assert len(bomb) < 10_000
    with pytest.raises(FormatError, match="50,000,000") as caught:
        npy_zst.decode(bomb, max_bytes=1_000_000)
    assert caught.value.reason == "too-large"


def test_the_default_limit_fits_the_pixel_limit() -> None:
    claims_too_much = bytearray(zstandard.ZstdCompressor(level=1).compress(bytes(5_000_000)))
    place = bytes(claims_too_much).index((5_000_000).to_bytes(4, "little"))
    claims_too_much[place : place + 4] = (800_000_001).to_bytes(4, "little")
    with pytest.raises(FormatError, match="800,000,001"):
        npy_zst.decode(bytes(claims_too_much))


def test_an_understated_size_is_refused() -> None:
    lies = bytearray(zstandard.ZstdCompressor(level=1).compress(bytes(5_000_000)))
    place = bytes(lies).index((5_000_000).to_bytes(4, "little"))
    lies[place : place + 4] = (400_000).to_bytes(4, "little")
    with pytest.raises(FormatError, match="damaged"):
        npy_zst.decode(bytes(lies))


def test_a_frame_without_a_size_is_refused(depth: NDArray[np.float32]) -> None:
    stream = zstandard.ZstdCompressor(write_content_size=False).compress(npy.encode(depth))
    with pytest.raises(FormatError, match="does not state"):
        npy_zst.decode(stream)


def test_trailing_bytes_are_refused(depth: NDArray[np.float32]) -> None:
    with pytest.raises(FormatError, match="damaged"):
        npy_zst.decode(npy_zst.encode(depth) + b"\0")


def test_a_flipped_pixel_is_noticed() -> None:
    noise = np.random.default_rng(0).integers(0, 65536, (40, 40), dtype=np.uint16)  # stored uncompressed in the frame
    data = bytearray(npy_zst.encode(noise))
    data[len(data) // 2] ^= 1
    with pytest.raises(FormatError, match="damaged"):
        npy_zst.decode(bytes(data))


def test_no_npy_inside() -> None:
    with pytest.raises(FormatError, match="not a NPY file"):
        npy_zst.decode(zstandard.ZstdCompressor().compress(b"something else"))
