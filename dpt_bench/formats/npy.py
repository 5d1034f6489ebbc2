"""NumPy's .npy files (format versions 1.0 and 2.0): plain numbers only, never pickles."""

from __future__ import annotations

import ast
import io
import re
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dpt_bench.core.errors import FormatError
from dpt_bench.formats._checks import not_a, view_numbers

_MAGIC = b"\x93NUMPY"
_PLAIN_NUMBERS = re.compile(r"[<>|=]?[biuf]\d{1,2}")
_LONGEST_HEADER = 10_000  # numpy's own limit: parsing a longer literal may exhaust the stack


class _Header(NamedTuple):
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    fortran_order: bool


def decode(data: bytes) -> NDArray[Any]:
    """The array, in native byte order; a read-only view of `data` where the file is stored that way.

    Raises:
        FormatError: not NPY, a pickle or records, or not exactly the bytes that the header promises.
    """
    if data[:6] != _MAGIC:
        raise not_a("NPY", data)
    length_bytes = {b"\x01\x00": 2, b"\x02\x00": 4}.get(bytes(data[6:8]), 0)
    start = 8 + length_bytes
    if not length_bytes or len(data) < start:
        raise FormatError(f"the NPY file is truncated or of an unknown version: {bytes(data[:12])!r}")
    end = start + int.from_bytes(data[8:start], "little")
    if end > min(len(data), start + _LONGEST_HEADER):
        raise FormatError("the NPY file is truncated within its header, or the header is damaged")
    header = _parse(bytes(data[start:end]))
    shape = header.shape[::-1] if header.fortran_order else header.shape
    array = view_numbers(data, header.dtype, shape, offset=end, what="NPY")
    native = array.astype(header.dtype.newbyteorder("="), copy=False)
    return np.ascontiguousarray(native.T).reshape(header.shape) if header.fortran_order else native


def encode(array: NDArray[Any]) -> bytes:
    """A version 1.0 file, as `numpy.save` writes it; the same array gives the same bytes."""
    assert _PLAIN_NUMBERS.fullmatch(array.dtype.str), f"only plain numbers are stored as NPY, got {array.dtype}"
    stored = array if array.ndim == 0 else np.ascontiguousarray(array)
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, np.lib.format.header_data_from_array_1_0(stored))
    return b"".join((header.getvalue(), stored.data))


@lru_cache(maxsize=256)  # the samples of a shard share a few headers, and parsing costs as much as decompressing
def _parse(text: bytes) -> _Header:
    try:
        header = ast.literal_eval(text.decode("latin-1").strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        raise FormatError(f"the NPY file's header is damaged: {text[:60]!r}") from None
    if not isinstance(header, dict) or set(header) != {"descr", "fortran_order", "shape"}:
        raise FormatError(f"the NPY file's header is damaged: {text[:60]!r}")
    descr, shape, fortran_order = header["descr"], header["shape"], header["fortran_order"]
    if not isinstance(descr, str) or not _PLAIN_NUMBERS.fullmatch(descr):
        raise FormatError(f"the NPY file holds {descr!r}, not plain numbers: pickled objects and records are refused")
    if not isinstance(shape, tuple) or not all(type(side) is int and side >= 0 for side in shape):
        raise FormatError(f"the NPY file's shape is damaged: {shape!r}")
    try:
        dtype = np.dtype(descr)
    except TypeError:
        raise FormatError(f"the NPY file's number type is unknown: {descr!r}") from None
    return _Header(dtype, shape, bool(fortran_order))
