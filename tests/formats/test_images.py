"""PNG and JPEG pixels: exact or bounded round trips, conversions, limits, real files."""

from __future__ import annotations

import struct
import time
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from dpt_bench.core.errors import FormatError
from dpt_bench.formats import images

SHAPES = array_shapes(min_dims=2, max_dims=2, max_side=20)


def png(array: NDArray[Any]) -> bytes:
    """Written by OpenCV, whose colours are BGR(A)."""
    return cv2.imencode(".png", array)[1].tobytes()


def huge_png(side: int) -> bytes:
    """A valid all-black 8-bit grey PNG of side x side pixels, a thousandth of its pixels in bytes."""
    packer = zlib.compressobj(1)
    row = bytes(side + 1)
    pixels = b"".join([*(packer.compress(row) for _ in range(side)), packer.flush()])
    parts = [(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)), (b"IDAT", pixels), (b"IEND", b"")]
    chunks = (struct.pack(">I", len(c)) + n + c + struct.pack(">I", zlib.crc32(n + c)) for n, c in parts)
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@settings(deadline=None)
@given(array=arrays(np.uint8, SHAPES) | arrays(np.uint16, SHAPES))
def test_gray_png_round_trip_is_exact(array: NDArray[Any]) -> None:
    decoded = images.decode_gray(images.encode_png(array))
    assert decoded.dtype == array.dtype
    np.testing.assert_array_equal(decoded, array)


@settings(deadline=None)
@given(array=SHAPES.flatmap(lambda shape: arrays(np.uint8, (*shape, 3))))
def test_rgb_png_round_trip_is_exact(array: NDArray[np.uint8]) -> None:
    data = images.encode_png(array)
    assert images.image_size(data) == array.shape[:2]
    np.testing.assert_array_equal(images.decode_rgb(data), array)


@settings(deadline=None)
@given(mask=arrays(np.bool_, SHAPES))
def test_mask_round_trip_is_exact(mask: NDArray[np.bool_]) -> None:
    data = images.encode_mask(mask)
    assert data[24] == 1, "a mask takes one bit a pixel"
    decoded = images.decode_mask(data)
    assert decoded.dtype == np.bool_
    np.testing.assert_array_equal(decoded, mask)


@settings(deadline=None, max_examples=30)
@given(
    corners=arrays(np.uint8, (3, 3, 3)),
    height=st.integers(1, 40),
    width=st.integers(1, 40),
)
def test_jpeg_round_trip_is_close(corners: NDArray[np.uint8], height: int, width: int) -> None:
    smooth = cv2.resize(corners, (width + 40, height + 40), interpolation=cv2.INTER_LINEAR)[:height, :width]
    data = images.encode_jpeg(smooth)
    assert images.image_size(data) == (height, width)
    error = np.abs(images.decode_rgb(data).astype(int) - smooth)
    assert error.max() <= 16
    assert error.mean() <= 3


def test_jpeg_keeps_full_colour_resolution() -> None:
    stripes = np.zeros((16, 16, 3), np.uint8)
    stripes[:, ::2] = (255, 0, 0)
    stripes[:, 1::2] = (0, 0, 255)
    decoded = images.decode_rgb(images.encode_jpeg(stripes)).astype(int)
    assert np.abs(decoded - stripes).max() < 40  # 4:2:0 would mix red and blue to purple
    frame = images.encode_jpeg(stripes)
    start = frame.index(b"\xff\xc0")
    assert frame[start + 11] == frame[start + 14] == frame[start + 17] == 0x11  # sampling factors of Y, Cb, Cr


def test_encoding_is_deterministic_whatever_the_memory_layout(photo: NDArray[np.uint8]) -> None:
    flipped = np.ascontiguousarray(photo[:, ::-1])[:, ::-1]
    for encode in (images.encode_jpeg, images.encode_png):
        assert encode(photo) == encode(flipped) == encode(np.asfortranarray(photo))
    assert images.encode_mask(photo[..., 0] > 99) == images.encode_mask((photo > 99)[..., 0])


def test_quality_is_95_by_default(photo: NDArray[np.uint8]) -> None:
    assert images.encode_jpeg(photo) == images.encode_jpeg(photo, 95)
    assert len(images.encode_jpeg(photo, 50)) < len(images.encode_jpeg(photo))


def test_everything_becomes_rgb_uint8() -> None:
    rng = np.random.default_rng(0)
    gray16 = rng.integers(0, 65536, (5, 7), dtype=np.uint16)
    bgra = rng.integers(0, 256, (5, 7, 4), dtype=np.uint8)
    upper = (gray16 >> 8).astype(np.uint8)
    np.testing.assert_array_equal(images.decode_rgb(png(gray16)), np.repeat(upper[..., None], 3, axis=2))
    np.testing.assert_array_equal(images.decode_rgb(png(bgra)), bgra[..., 2::-1])
    np.testing.assert_array_equal(images.decode_rgb(images.encode_mask(gray16 > 9))[..., 1] > 0, gray16 > 9)
    gray_jpeg = cv2.imencode(".jpg", np.full((9, 9), 77, np.uint8))[1].tobytes()
    assert np.abs(images.decode_rgb(gray_jpeg).astype(int) - 77).max() <= 1
    assert images.decode_gray(gray_jpeg).shape == (9, 9)


def test_the_exif_rotation_is_ignored(photo: NDArray[np.uint8]) -> None:
    tiff = b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"  # orientation 6: turn right
    plain = images.encode_jpeg(photo)
    exif = b"Exif\0\0" + tiff
    rotated = plain[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + plain[2:]
    assert cv2.imdecode(np.frombuffer(rotated, np.uint8), cv2.IMREAD_COLOR).shape == (64, 48, 3)  # the tag is sound
    np.testing.assert_array_equal(images.decode_rgb(rotated), images.decode_rgb(plain))
    assert images.image_size(rotated) == (48, 64)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_equal_channels_count_as_gray(dtype: type) -> None:
    gray = np.random.default_rng(0).integers(0, 256, (5, 7)).astype(dtype)
    opaque = np.full_like(gray, np.iinfo(dtype).max)
    np.testing.assert_array_equal(images.decode_gray(png(np.dstack([gray] * 3))), gray)
    np.testing.assert_array_equal(images.decode_gray(png(np.dstack([gray, gray, gray, opaque]))), gray)


@pytest.mark.parametrize("changed", [0, 1, 2, 3])
def test_colours_and_transparency_are_not_gray(changed: int) -> None:
    channels = [np.full((5, 7), 255, np.uint8) for _ in range(4)]
    channels[changed][2, 3] = 9
    with pytest.raises(FormatError, match="grey picture was expected") as caught:
        images.decode_gray(png(np.dstack(channels)))
    assert caught.value.reason == "not-gray"


def test_a_bomb_is_refused_from_its_header() -> None:
    bomb = huge_png(12_000)
    assert len(bomb) < 1_000_000
    start = time.perf_counter()
    for decode in (images.decode_rgb, images.decode_gray, images.decode_mask):
        with pytest.raises(FormatError, match="12000 x 12000") as caught:
            decode(bomb)
        assert caught.value.reason == "too-large"
    assert time.perf_counter() - start < 0.1
    assert images.image_size(bomb) == (12_000, 12_000)


@pytest.mark.parametrize("kind", ["png", "jpeg"])
def test_the_callers_limit_holds(photo: NDArray[np.uint8], kind: str) -> None:
    data = images.encode_png(photo) if kind == "png" else images.encode_jpeg(photo)
    assert images.decode_rgb(data, max_pixels=48 * 64).shape == (48, 64, 3)
    with pytest.raises(FormatError, match="64 x 48"):
        images.decode_rgb(data, max_pixels=48 * 64 - 1)


def test_importing_changes_no_thread_count() -> None:
    source = Path(images.__file__).read_text()
    assert "setNumThreads" not in source


def test_kitti_depth_sample(samples: Path) -> None:
    for path in sorted((samples / "kitti/depth").glob("*.png")):
        stored = images.decode_gray(path.read_bytes())
        assert stored.dtype == np.uint16
        assert stored.shape == (375, 1242)
        assert 0.785 <= np.mean(stored == 0) <= 0.81
        assert stored.max() / 256 <= 84.95


def test_apolloscape_sample(samples: Path) -> None:
    name = "171206_034559609_Camera_5.png"
    folder = samples / "apolloscape"
    disparity = images.decode_gray((folder / "disparity" / name).read_bytes())
    masks = [images.decode_mask((folder / kind / name).read_bytes()) for kind in ("fg_mask", "bg_mask")]
    assert disparity.shape == (2710, 3384)
    assert np.mean(disparity == 65535) == pytest.approx(0.466, abs=0.001)
    np.testing.assert_array_equal(disparity != 65535, masks[0] | masks[1])
    known = disparity[disparity != 65535]
    assert (known.min(), known.max()) == (2, 163)


def test_ade20k_sample(samples: Path) -> None:
    for path in sorted((samples / "ade20k/annotations").glob("*.png")):
        labels = images.decode_gray(path.read_bytes())
        photo = (samples / "ade20k/images" / path.name).with_suffix(".jpg").read_bytes()
        assert labels.dtype == np.uint8
        assert labels.max() <= 150
        assert images.decode_rgb(photo).shape == (*labels.shape, 3)


def test_nyu_and_tum_samples(samples: Path) -> None:
    nyu = images.decode_gray((samples / "nyu/depth/sync_depth_00000.png").read_bytes())
    assert nyu.dtype == np.uint16
    assert 0.25 <= np.mean(nyu == 0) <= 0.33
    tum = images.decode_gray(next((samples / "tum").rglob("depth/*.png")).read_bytes())
    assert 0.17 <= np.mean(tum == 0) <= 0.18
    assert 0.3 < np.median(tum[tum > 0]) / 5000 < 4


def test_sceneflow_sample_loses_its_alpha(samples: Path) -> None:
    data = (samples / "sceneflow/RGB_cleanpass/left/A-0032-0006.png").read_bytes()
    assert data[25] == 6  # colour with alpha
    assert images.decode_rgb(data).shape == (540, 960, 3)
    assert images.png_text(data)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9, 0.999])
def test_truncated_photographs(samples: Path, share: float) -> None:
    (photo,) = (samples / "megadepth").rglob("*.jpg")
    for path in (photo, samples / "kitti/rgb/0000000005.png"):
        data = path.read_bytes()
        with pytest.raises(FormatError, match="truncated"):
            images.decode_rgb(data[: int(len(data) * share)])
