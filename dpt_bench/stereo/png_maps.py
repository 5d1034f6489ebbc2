"""Disparity and uncertainty as 3DVideos2Stereo writes them: PNG files at half the resolution of the flow."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dpt_bench.core.errors import FormatError
from dpt_bench.formats import images

LARGEST_CODE = 65535
UNCERTAINTY_STEP_PX = 0.1


def decode_disparity(data: bytes) -> NDArray[np.float32]:
    """float32 (H, W): offset + scale * code, in pixels of this map; offset and scale are texts within the PNG.

    Raises:
        FormatError: no uint16 PNG, or one without its two numbers.
    """
    codes = images.decode_gray(data)
    if codes.dtype != np.uint16:
        raise FormatError(f"disparity is stored in uint16, not in {codes.dtype}")
    text = images.png_text(data)
    try:
        offset, scale = float(text["offset"]), float(text["scale"])
    except KeyError as error:
        raise FormatError(
            f"the PNG has lost its text {error}: the codes mean nothing without it", reason="missing-scale"
        ) from None
    except ValueError as error:
        raise FormatError(f"offset or scale is no number: {error}", reason="missing-scale") from None
    if not (np.isfinite(offset) and np.isfinite(scale) and scale > 0):
        raise FormatError(f"offset {offset} and scale {scale} make no disparity", reason="missing-scale")
    return (offset + scale * codes.astype(np.float64)).astype(np.float32)


def encode_disparity(disparity: NDArray[np.floating]) -> bytes:
    """uint16 PNG of a finite map (H, W), whose range fills the codes."""
    low, high = float(disparity.min()), float(disparity.max())
    scale = (high - low) / LARGEST_CODE or 1.0
    codes = np.round((disparity.astype(np.float64) - low) / scale).astype(np.uint16)
    return images.encode_png(codes, text={"offset": str(low), "scale": str(scale)})


def decode_uncertainty(data: bytes) -> NDArray[np.uint8]:
    """uint8 (H, W): the left-right difference in tenths of a pixel of this map, 255 for 25.5 px and more.

    Raises:
        FormatError: no uint8 PNG.
    """
    codes = images.decode_gray(data)
    if codes.dtype != np.uint8:
        raise FormatError(f"uncertainty is stored in uint8, not in {codes.dtype}")
    return codes.view(np.uint8)


def uncertainty_code(limit_px: float) -> int:
    """The largest code that stands for no more than `limit_px` pixels of the map: 10 for the 1 px of 940 columns."""
    return int(limit_px / UNCERTAINTY_STEP_PX + 1e-6)


def encode_uncertainty(difference: NDArray[np.floating]) -> bytes:
    """uint8 PNG of a left-right difference (H, W) in pixels of the map."""
    codes = np.minimum(np.round(difference / UNCERTAINTY_STEP_PX), 255)
    return images.encode_png(codes.astype(np.uint8))
