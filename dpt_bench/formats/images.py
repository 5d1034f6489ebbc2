"""PNG and JPEG pictures, masks and 16-bit maps, decoded by OpenCV after their headers and ends were checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dpt_bench.core.errors import FormatError
from dpt_bench.formats import _jpeg, _png
from dpt_bench.formats._checks import MAX_PIXELS, check_size, not_a

__all__ = [
    "MAX_PIXELS",
    "decode_gray",
    "decode_mask",
    "decode_rgb",
    "encode_jpeg",
    "encode_mask",
    "encode_png",
    "image_size",
    "png_text",
]

Picture = NDArray[np.uint8] | NDArray[np.uint16]

_RGB = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION  # depth maps know nothing of the image's EXIF rotation
_UPRIGHT_RGB = cv2.IMREAD_COLOR_RGB
_OPAQUE = {np.dtype(np.uint8): 255, np.dtype(np.uint16): 65535}


def image_size(data: bytes) -> tuple[int, int]:
    """(height, width) of a PNG or JPEG from its header; no pixel is decoded.

    Raises:
        FormatError: neither PNG nor JPEG, or the header is damaged.
    """
    if data.startswith(_png.SIGNATURE):
        return _png.read_header(data)[:2]
    if data.startswith(_jpeg.SIGNATURE):
        return _jpeg.read_header(data)[:2]
    raise not_a("PNG or JPEG", data)


def decode_rgb(data: bytes, *, max_pixels: int = MAX_PIXELS, upright: bool = False) -> NDArray[np.uint8]:
    """RGB uint8 (H, W, 3). Grey is repeated, palettes are looked up, alpha is dropped, 16 bits are cut to the upper 8.

    The EXIF rotation is ignored, for targets are stored on the unrotated grid; `upright` obeys it, as viewers do.

    Raises:
        FormatError: not PNG or JPEG, truncated, damaged, or above `max_pixels` (checked before decoding).
    """
    image: NDArray[np.uint8] = _decode(data, _UPRIGHT_RGB if upright else _RGB, max_pixels)
    return image


def decode_gray(data: bytes, *, max_pixels: int = MAX_PIXELS) -> Picture:
    """One channel as stored: uint8 or uint16 (H, W); the indices of a palette; 1, 2 and 4-bit grey stretched to 0..255.

    A colour file whose channels are equal and whose alpha is opaque counts as grey.

    Raises:
        FormatError: a colour picture (reason "not-gray"); otherwise as `decode_rgb`.
    """
    if data.startswith(_png.SIGNATURE):
        header = _png.read_header(data)
        if header.colour_type == _png.PALETTE:
            return _decode_indices(data, header.bit_depth, max_pixels)
    return _as_gray(_decode(data, cv2.IMREAD_UNCHANGED, max_pixels))


def decode_mask(data: bytes) -> NDArray[np.bool_]:
    """A mask, bool (H, W): True where a grey, 1-bit or palette picture is not 0.

    Raises:
        FormatError: as `decode_gray`.
    """
    mask: NDArray[np.bool_] = decode_gray(data) != 0
    return mask


def encode_jpeg(rgb: NDArray[np.uint8], quality: int = 95) -> bytes:
    """JPEG without chroma subsampling (4:4:4) of a uint8 (H, W, 3) array; the same pixels give the same bytes."""
    options = [
        *(cv2.IMWRITE_JPEG_QUALITY, quality),
        *(cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444),
    ]
    assert rgb.dtype == np.uint8, f"JPEG holds uint8, got {rgb.dtype}"
    return _encode(".jpg", rgb, options)


def encode_png(array: Picture, *, text: Mapping[str, str] | None = None) -> bytes:
    """Lossless PNG of a uint8 or uint16 array, grey (H, W) or RGB (H, W, 3); `text` becomes tEXt chunks (Latin-1)."""
    assert array.dtype in (np.uint8, np.uint16), f"PNG holds uint8 or uint16, got {array.dtype}"
    data = _encode(".png", array, [])
    return _png.with_text(data, text) if text else data


def encode_mask(mask: NDArray[np.bool_]) -> bytes:
    """1-bit PNG of a bool (H, W) array."""
    assert mask.dtype == np.bool_, f"a mask is bool, got {mask.dtype}"
    assert mask.ndim == 2, f"a mask is (H, W), got {mask.shape}"
    # the file holds eight pixels in a byte, filtered and compressed as bytes: packed first they are less work
    return _png.as_bits(_encode(".png", np.packbits(mask, axis=1), []), mask.shape[1])


def png_text(data: bytes) -> dict[str, str]:
    """Keyword -> text of a PNG, e.g. the `offset` and `scale` of the 3D Movies' disparity.

    Raises:
        FormatError: not PNG, truncated or damaged.
    """
    if not data.startswith(_png.SIGNATURE):
        raise not_a("PNG", data)
    return _png.read_text(data)


def _decode(data: bytes, flags: int, max_pixels: int) -> NDArray[Any]:
    is_png = data.startswith(_png.SIGNATURE)
    kind = "PNG" if is_png else "JPEG"
    size = image_size(data)
    check_size(*size, kind, max_pixels)
    if is_png:
        _png.check_complete(data)
    else:
        _jpeg.check_complete(data)
    try:
        image: NDArray[Any] | None = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        raise FormatError(f"the {kind} file is damaged: {error.err}") from None
    expected = (size, size[::-1]) if flags == _UPRIGHT_RGB else (size,)
    if image is None or image.shape[:2] not in expected:
        raise FormatError(f"the {kind} file is damaged: its pixels cannot be decoded")
    return image


def _decode_indices(data: bytes, bit_depth: int, max_pixels: int) -> NDArray[np.uint8]:
    check_size(*image_size(data), "PNG", max_pixels)
    stretched = _decode(_png.palette_as_grey(data), cv2.IMREAD_UNCHANGED, max_pixels)
    step = 255 // (2**bit_depth - 1)  # 1, 2, 4 and 8 bits are stretched by 255, 85, 17 and 1
    indices: NDArray[np.uint8] = stretched if step == 1 else stretched // np.uint8(step)
    return indices


def _as_gray(image: NDArray[Any]) -> Picture:
    if image.dtype not in _OPAQUE:
        raise FormatError(f"a grey picture of 8 or 16 bits was expected, got {image.dtype}", reason="not-gray")
    if image.ndim == 2:
        return image
    first = np.ascontiguousarray(image[..., 0])
    if any(np.any(image[..., other] != first) for other in (1, 2)):
        raise FormatError("a grey picture was expected, got colours", reason="not-gray")
    if image.shape[2] == 4 and np.any(image[..., 3] != _OPAQUE[image.dtype]):
        raise FormatError("a grey picture was expected, got one with transparent pixels", reason="not-gray")
    return first


def _encode(ending: str, array: NDArray[Any], options: Sequence[int]) -> bytes:
    assert array.ndim == 2 or (array.ndim == 3 and array.shape[2] == 3), f"neither grey nor RGB: {array.shape}"
    pixels = np.ascontiguousarray(array)
    done, buffer = cv2.imencode(ending, pixels if array.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), options)
    assert done, f"OpenCV could not encode {array.dtype} {array.shape} as {ending}"
    return buffer.tobytes()
