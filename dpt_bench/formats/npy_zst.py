"""A standard NPY file within one zstd frame (RFC 8878): the targets of shards, readable by any zstd tool."""

from __future__ import annotations

import threading
from typing import Any

import zstandard
from numpy.typing import NDArray

from dpt_bench.core.errors import FormatError
from dpt_bench.formats import npy
from dpt_bench.formats._checks import MAX_PIXELS, not_a

_MAGIC = b"\x28\xb5\x2f\xfd"
_MAX_BYTES = MAX_PIXELS * 8
_LEVEL = 3
_UNKNOWN = -1


class _Decompressor(threading.local):
    """One for each thread: making one takes a tenth of the time that a target takes to decompress."""

    def __init__(self) -> None:
        self.zstd = zstandard.ZstdDecompressor()


_DECOMPRESSOR = _Decompressor()


def decode(data: bytes, *, max_bytes: int = _MAX_BYTES) -> NDArray[Any]:
    """The array, a read-only view of the decompressed bytes.

    Raises:
        FormatError: not one whole zstd frame that states its size, more than `max_bytes` decompressed (reason
            "too-large"), a wrong checksum, or no NPY inside.
    """
    if data[:4] != _MAGIC:
        raise not_a("zstd", data)
    try:
        size = zstandard.frame_content_size(data)
        if size == _UNKNOWN:
            raise FormatError("the zstd frame does not state its decompressed size")
        if size > max_bytes:
            raise FormatError(f"the zstd frame says {size:,} bytes, more than {max_bytes:,}", reason="too-large")
        content = _DECOMPRESSOR.zstd.decompress(data, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise FormatError(f"the zstd frame is truncated or damaged: {error}") from None
    return npy.decode(content)


def encode(array: NDArray[Any]) -> bytes:
    """Level 3, with the content's size and checksum in the frame; the same array gives the same bytes."""
    compressor = zstandard.ZstdCompressor(level=_LEVEL, write_content_size=True, write_checksum=True)
    return compressor.compress(npy.encode(array))
