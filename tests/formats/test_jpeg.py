"""The container of JPEG: thumbnails, padding, the end marker."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from dpt_bench.core.errors import FormatError
from dpt_bench.formats import images

END = b"\xff\xd9"


def segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(content) + 2).to_bytes(2, "big") + content


@pytest.fixture(scope="module")
def picture(photo: NDArray[np.uint8]) -> bytes:
    return images.encode_jpeg(photo)


@pytest.fixture(scope="module")
def with_thumbnail(picture: bytes) -> bytes:
    """EXIF data that hold a whole JPEG of another size, end marker included."""
    thumbnail = images.encode_jpeg(np.zeros((8, 8, 3), np.uint8))
    return picture[:2] + segment(0xE1, b"Exif\0\0" + thumbnail) + picture[2:]


def test_the_size_is_not_the_thumbnails(with_thumbnail: bytes) -> None:
    assert images.image_size(with_thumbnail) == (48, 64)


def test_the_thumbnails_end_does_not_hide_a_truncation(with_thumbnail: bytes) -> None:
    assert images.decode_rgb(with_thumbnail).shape == (48, 64, 3)
    with pytest.raises(FormatError, match="truncated"):
        images.decode_rgb(with_thumbnail[: len(with_thumbnail) * 3 // 4])


def test_only_the_end_marker_is_missing(picture: bytes) -> None:
    assert picture.endswith(END)
    with pytest.raises(FormatError, match="end marker"):
        images.decode_rgb(picture[:-2])


def test_the_second_half_zeroed_is_noticed(picture: bytes) -> None:
    half = len(picture) // 2
    with pytest.raises(FormatError, match="end marker"):
        images.decode_rgb(picture[:half] + bytes(len(picture) - half))


def test_padding_and_trailing_bytes_are_allowed(picture: bytes, photo: NDArray[np.uint8]) -> None:
    padded = picture[:2] + b"\xff\xff" + picture[2:] + b"\0\0 appended"
    assert images.image_size(padded) == (48, 64)
    np.testing.assert_array_equal(images.decode_rgb(padded), images.decode_rgb(picture))


@pytest.mark.parametrize("length", [3, 10, 20, 100, 160])
def test_a_header_cut_short(picture: bytes, length: int) -> None:
    with pytest.raises(FormatError, match="within its header"):
        images.image_size(picture[:length])


def test_no_header_before_the_pixels(picture: bytes) -> None:
    with pytest.raises(FormatError, match="within its header"):
        images.image_size(b"\xff\xd8" + picture[picture.index(b"\xff\xda") :])
