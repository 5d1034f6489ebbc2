"""Numbers to colours: near bright and far dark, errors; invalid pixels are hatched, so that holes show."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
ColourMap = Literal["magma", "reds", "blue_red"]

_ANCHORS: dict[ColourMap, tuple[str, ...]] = {
    "magma": ("000004", "1c1044", "4f127b", "812581", "b5367a", "e55064", "fb8761", "fec287", "fcfdbf"),
    "reds": ("fff5f0", "fee0d2", "fcbba1", "fc9272", "fb6a4a", "ef3b2c", "cb181d", "a50f15", "67000d"),
    "blue_red": ("2166ac", "4393c3", "92c5de", "d1e5f0", "f7f7f7", "fddbc7", "f4a582", "d6604d", "b2182b"),
}
"""Nine equidistant colours each. magma: S. van der Walt and N. Smith, CC0. reds (Reds) and blue_red (RdBu): C. Brewer,
ColorBrewer. All three are perceptually ordered, and safe for the usual kinds of colour blindness."""

_HATCH_GREYS = (112, 160)
_HATCH_PERIOD = 8


def colour_map(name: ColourMap) -> Image:
    """256 colours from the map's lowest to its highest value: uint8 (256, 3)."""
    anchors = np.array([[int(code[at : at + 2], 16) for at in (0, 2, 4)] for code in _ANCHORS[name]], np.float64)
    places = np.linspace(0, len(anchors) - 1, 256)
    channels = [np.interp(places, np.arange(len(anchors)), anchors[:, channel]) for channel in range(3)]
    return np.round(np.stack(channels, axis=1)).astype(np.uint8)


def colourise(
    values: NDArray[Any],
    valid: NDArray[np.bool_] | None = None,
    *,
    low: float | None = None,
    high: float | None = None,
    colours: ColourMap = "magma",
) -> Image:
    """Colours of an image of numbers; large numbers are bright (in `magma`), so give it inverse depth.

    values: (H, W); those that are not finite count as invalid. valid: bool (H, W), None for all. low, high: the numbers
    at the ends of the map, None for the 1st and 99th percentile of the valid pixels. Gives uint8 (H, W, 3), invalid
    pixels hatched in grey.
    """
    usable = np.isfinite(values) if valid is None else valid & np.isfinite(values)
    bottom, top = display_range(values, usable, low=low, high=high)
    numbers = np.where(usable, values, bottom).astype(np.float64)
    steps = np.clip((numbers - bottom) / max(top - bottom, 1e-12), 0, 1) * 255
    image = colour_map(colours)[np.round(steps).astype(np.uint8)]
    image[~usable] = hatching(usable.shape[0], usable.shape[1])[~usable]
    return image


def colourise_depth(
    depth_m: NDArray[Any],
    valid: NDArray[np.bool_] | None = None,
    *,
    near_m: float | None = None,
    far_m: float | None = None,
) -> Image:
    """Colours of depth in metres by its inverse: near bright, far dark, infinity black; otherwise as `colourise`."""
    numbers = np.asarray(depth_m, np.float64)
    positive = numbers > 0
    inverse = np.divide(1.0, numbers, out=np.full(numbers.shape, np.nan), where=positive)
    return colourise(
        inverse, valid, low=None if far_m is None else 1 / far_m, high=None if near_m is None else 1 / near_m
    )


def colourise_error(
    error: NDArray[Any], valid: NDArray[np.bool_] | None = None, *, limit: float | None = None
) -> Image:
    """Colours of an error: white for none, red up to `limit`; blue where it is negative, that is, too low.

    `limit` defaults to the 98th percentile of the magnitude of the valid pixels.
    """
    usable = np.isfinite(error) if valid is None else valid & np.isfinite(error)
    if limit is None:
        limit = float(np.quantile(np.abs(error[usable]), 0.98)) if usable.any() else 1.0
    signed = bool((error[usable] < 0).any())
    return colourise(error, usable, low=-limit if signed else 0.0, high=limit, colours="blue_red" if signed else "reds")


def display_range(
    values: NDArray[Any], usable: NDArray[np.bool_], *, low: float | None = None, high: float | None = None
) -> tuple[float, float]:
    """(low, high), the missing ends taken from the 1st and 99th percentile of the usable pixels; (0, 1) if none."""
    if not usable.any():
        return (0.0 if low is None else low), (1.0 if high is None else high)
    inner = values[usable]
    bottom = float(np.quantile(inner, 0.01)) if low is None else low
    top = float(np.quantile(inner, 0.99)) if high is None else high
    return bottom, top


def hatching(height: int, width: int) -> Image:
    """Diagonal stripes in two greys: uint8 (height, width, 3)."""
    diagonal = (np.arange(height)[:, None] + np.arange(width)[None, :]) % _HATCH_PERIOD < _HATCH_PERIOD // 2
    stripes = np.where(diagonal, np.uint8(_HATCH_GREYS[0]), np.uint8(_HATCH_GREYS[1]))
    return np.repeat(stripes[..., None], 3, axis=2)
