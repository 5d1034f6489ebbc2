"""OpenEXR, one float channel at a time: IRS keeps disparity in a channel named G, others in Z, Y or R."""

from __future__ import annotations

import io

import numpy as np
import OpenEXR
from numpy.typing import NDArray

from dpt_bench.core.errors import FormatError
from dpt_bench.formats._checks import check_size, not_a

_MAGIC = b"\x76\x2f\x31\x01"
# the bindings raise these for damaged bytes: UnicodeDecodeError (a ValueError) for a flipped channel name, for example
_DAMAGE = (RuntimeError, OSError, ValueError, TypeError, KeyError, AttributeError, MemoryError)
_NO_THREADS = 0


def decode(data: bytes, channel: str | None = None) -> NDArray[np.float32]:
    """float32 (H, W) of the data window: the named channel, or the only one; half precision is widened.

    Raises:
        FormatError: not OpenEXR, truncated or damaged, absurd size; the channel is missing, or none was named and there
            are several (the error lists them).
    """
    if data[:4] != _MAGIC:
        raise not_a("OpenEXR", data)
    try:
        (height, width), names = _header(data)
        name = _choose(names, channel)
        check_size(height, width, "OpenEXR")
        file = OpenEXR.File(io.BytesIO(data), separate_channels=True, num_threads=_NO_THREADS)
        pixels: NDArray[np.float16 | np.float32] = file.channels()[name].pixels
    except _DAMAGE as error:
        raise FormatError(f"the OpenEXR file is truncated or damaged: {error}") from None
    if pixels.shape != (height, width):
        raise FormatError(f"channel {name!r} of the OpenEXR file is subsampled or deep: {pixels.shape}")
    return pixels.astype(np.float32, copy=False)


def encode(array: NDArray[np.float32], channel: str = "Z", *, half: bool = False) -> bytes:
    """A scan-line file with one ZIP-compressed channel, lossless but for the rounding to half precision."""
    assert array.ndim == 2, f"one EXR channel is (H, W), got {array.shape}"
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    pixels = np.ascontiguousarray(array, np.float16 if half else np.float32)
    buffer = io.BytesIO()
    OpenEXR.File(header, {channel: pixels}, num_threads=_NO_THREADS).write(buffer)
    return buffer.getvalue()


def _header(data: bytes) -> tuple[tuple[int, int], list[str]]:
    """(height, width) of the data window and the channels' names, without decoding a pixel."""
    header = OpenEXR.File(io.BytesIO(data), header_only=True, num_threads=_NO_THREADS).header()
    (left, top), (right, bottom) = header["dataWindow"]
    return (int(bottom) - int(top) + 1, int(right) - int(left) + 1), [entry.name for entry in header["channels"]]


def _choose(names: list[str], wanted: str | None) -> str:
    if wanted is None and len(names) == 1:
        return names[0]
    if wanted is not None and wanted in names:
        return wanted
    problem = "several channels and none was named" if wanted is None else f"no channel {wanted!r}"
    raise FormatError(f"the OpenEXR file has {problem}; it has: {', '.join(sorted(names)) or 'none'}")
