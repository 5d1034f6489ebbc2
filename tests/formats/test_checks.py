"""The refusals that all codecs share."""

from __future__ import annotations

import numpy as np
import pytest

from dpt_bench.core.errors import FormatError
from dpt_bench.formats import exr, flo, hdf5, images, npy, npy_zst, pfm, raw_float32, sintel_dpt
from dpt_bench.formats._checks import MAX_PIXELS, check_size, view_numbers

DECODERS = {
    "rgb": images.decode_rgb,
    "gray": images.decode_gray,
    "mask": images.decode_mask,
    "size": images.image_size,
    "text": images.png_text,
    "pfm": pfm.decode,
    "exr": exr.decode,
    "flo": flo.decode,
    "sintel_dpt": sintel_dpt.decode,
    "npy": npy.decode,
    "npy_zst": npy_zst.decode,
    "hdf5": lambda data: hdf5.decode(data, "depth"),
    "raw_float32": lambda data: raw_float32.decode(data, height=2, width=2),
}


@pytest.mark.parametrize("name", DECODERS)
def test_an_empty_file_is_refused(name: str) -> None:
    with pytest.raises(FormatError) as caught:
        DECODERS[name](b"")
    assert "empty" in caught.value.what or "truncated" in caught.value.what
    assert caught.value.reason == "corrupt-file"


@pytest.mark.parametrize("page", [b"<!DOCTYPE html><html>quota exceeded</html>", b"\n<HTML><body>404</body></HTML>"])
@pytest.mark.parametrize("name", sorted(set(DECODERS) - {"raw_float32"}))  # headerless: any bytes of that length pass
def test_a_web_page_is_named_as_such(name: str, page: bytes) -> None:
    with pytest.raises(FormatError, match="web page"):
        DECODERS[name](page)


def test_a_git_lfs_pointer_is_named_as_such() -> None:
    with pytest.raises(FormatError, match="Git LFS"):
        images.image_size(b"version https://git-lfs.github.com/spec/v1\noid sha256:00")


def test_another_format_shows_its_first_bytes() -> None:
    with pytest.raises(FormatError, match="GIF89a"):
        images.decode_rgb(b"GIF89a" + bytes(100))


@pytest.mark.parametrize(("height", "width"), [(0, 5), (5, 0), (-3, -4)])
def test_an_empty_size_is_refused(height: int, width: int) -> None:
    with pytest.raises(FormatError, match=f"{width} x {height}"):
        check_size(height, width, "PFM")


def test_the_pixel_limit_is_inclusive() -> None:
    check_size(10_000, MAX_PIXELS // 10_000, "PFM")
    with pytest.raises(FormatError, match="100,000,000") as caught:
        check_size(10_001, MAX_PIXELS // 10_000, "PFM")
    assert caught.value.reason == "too-large"


@pytest.mark.parametrize(("count", "problem"), [(15, "truncated"), (17, "longer")])
def test_the_number_of_bytes_must_fit(count: int, problem: str) -> None:
    with pytest.raises(FormatError, match=problem):
        view_numbers(bytes(2 + count), "<f4", (2, 2), offset=2, what="PFM")


def test_numbers_are_a_view_of_the_bytes() -> None:
    data = b"ab" + np.arange(4, dtype="<f4").tobytes()
    numbers = view_numbers(data, "<f4", (2, 2), offset=2, what="PFM")
    assert numbers.tolist() == [[0, 1], [2, 3]]
    assert np.shares_memory(numbers, np.frombuffer(data, np.uint8))
