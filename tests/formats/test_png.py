"""The container of PNG: chunks, checksums, text, palettes as grey."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dpt_bench.core.errors import FormatError
from dpt_bench.formats import _png, images

LATIN = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20)
KEYWORDS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20)


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def with_chunk(data: bytes, extra: bytes) -> bytes:
    return data[:33] + extra + data[33:]


@pytest.fixture(scope="module")
def picture() -> bytes:
    return images.encode_png(np.arange(12, dtype=np.uint16).reshape(3, 4))


@settings(deadline=None)
@given(text=st.dictionaries(KEYWORDS, LATIN, max_size=4))
def test_text_round_trip(text: dict[str, str]) -> None:
    array = np.arange(6, dtype=np.uint8).reshape(2, 3)
    data = images.encode_png(array, text=text)
    assert images.png_text(data) == text
    np.testing.assert_array_equal(images.decode_gray(data), array)


def test_compressed_and_international_text(picture: bytes) -> None:
    compressed = zlib.compress("größer".encode("latin-1"))
    data = with_chunk(picture, chunk(b"zTXt", b"scale\0\0" + compressed))
    data = with_chunk(data, chunk(b"iTXt", b"a\0\0\0de\0titel\0" + "Maßstab ∞".encode()))
    data = with_chunk(data, chunk(b"iTXt", b"b\0\1\0\0\0" + zlib.compress("∞".encode())))
    assert images.png_text(data) == {"scale": "größer", "a": "Maßstab ∞", "b": "∞"}


def test_a_text_bomb_is_refused(picture: bytes) -> None:
    data = with_chunk(picture, chunk(b"zTXt", b"scale\0\0" + zlib.compress(bytes(2_000_000))))
    with pytest.raises(FormatError, match="1 MiB") as caught:
        images.png_text(data)
    assert caught.value.reason == "too-large"
    assert images.decode_gray(data).shape == (3, 4)  # the pixels are sound


def test_a_damaged_text_is_refused(picture: bytes) -> None:
    with pytest.raises(FormatError, match="text"):
        images.png_text(with_chunk(picture, chunk(b"zTXt", b"scale\0\0nonsense")))


def test_a_wrong_checksum_of_a_critical_chunk_is_noticed(picture: bytes) -> None:
    for place in (17, 30, picture.index(b"IDAT") + 6, len(picture) - 1):
        damaged = bytearray(picture)
        damaged[place] ^= 1
        with pytest.raises(FormatError, match="checksum"):
            images.decode_gray(bytes(damaged))


def test_a_damaged_ancillary_chunk_is_ignored(picture: bytes) -> None:
    time_stamp = bytearray(chunk(b"tIME", bytes(7)))
    time_stamp[-1] ^= 1
    assert images.decode_gray(with_chunk(picture, bytes(time_stamp))).tolist()[2] == [8, 9, 10, 11]


def test_a_missing_end_is_noticed_though_all_pixels_are_there(picture: bytes) -> None:
    with pytest.raises(FormatError, match="end marker"):
        images.decode_gray(picture[:-12])


def test_bytes_after_the_end_are_ignored(picture: bytes) -> None:
    assert images.decode_gray(picture + b"appended by a camera").shape == (3, 4)


def test_another_first_chunk_is_refused(picture: bytes) -> None:
    with pytest.raises(FormatError, match="header chunk"):
        images.image_size(_png.SIGNATURE + chunk(b"IEND", b""))


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_palette_indices(bits: int) -> None:
    indices: NDArray[np.uint8] = np.random.default_rng(bits).integers(0, 2**bits, (5, 8), dtype=np.uint8)
    palette = np.random.default_rng(9).integers(0, 256, (2**bits, 3), dtype=np.uint8)
    data = palette_png(indices, palette, bits)
    np.testing.assert_array_equal(images.decode_gray(data), indices)
    np.testing.assert_array_equal(images.decode_rgb(data), palette[indices])
    np.testing.assert_array_equal(images.decode_mask(data), indices > 0)


def test_a_transparent_palette_entry_changes_no_index() -> None:
    indices = np.arange(8, dtype=np.uint8).reshape(2, 4)
    data = palette_png(indices, np.zeros((8, 3), np.uint8), 8)
    data = data.replace(chunk(b"IEND", b""), b"")
    place = data.index(b"IDAT") - 4
    data = data[:place] + chunk(b"tRNS", bytes([0, 128])) + data[place:] + chunk(b"IEND", b"")
    np.testing.assert_array_equal(images.decode_gray(data), indices)


def palette_png(indices: NDArray[np.uint8], palette: NDArray[np.uint8], bits: int) -> bytes:
    """A palette file, packed by hand: the high bits of a byte come first."""
    height, width = indices.shape
    per_bit = np.unpackbits(indices[..., None], axis=2)[..., 8 - bits :].reshape(height, width * bits)
    rows = b"".join(b"\0" + np.packbits(row).tobytes() for row in per_bit)
    header = struct.pack(">IIBBBBB", width, height, bits, _png.PALETTE, 0, 0, 0)
    parts = [(b"IHDR", header), (b"PLTE", palette.tobytes()), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return _png.SIGNATURE + b"".join(chunk(name, content) for name, content in parts)
