"""HDF5 files in memory: MegaDepth's depth, the TUM clips of the Mannequin Challenge, NYU's labelled .mat."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import h5py
from numpy.typing import NDArray

from dpt_bench.core.errors import FormatError
from dpt_bench.formats._checks import MAX_PIXELS, not_a

_MAGIC = b"\x89HDF\r\n\x1a\n"
_SUPERBLOCKS = (0, 512, 1024, 2048)  # a user block, such as that of a MATLAB file, may come first


def decode(data: bytes, dataset: str) -> NDArray[Any]:
    """The numbers of one dataset, e.g. "depth", in native byte order.

    Raises:
        FormatError: not HDF5, truncated or damaged; the dataset is missing (the error lists those there are), holds no
            plain numbers, too many of them, or keeps them in another file.
    """
    if not any(data.startswith(_MAGIC, offset) for offset in _SUPERBLOCKS):
        raise not_a("HDF5", data)
    try:
        with h5py.File(h5py.h5f.open_file_image(data)) as file:
            array: NDArray[Any] = _find(file, dataset)[()]
    except (OSError, RuntimeError, ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise FormatError(f"the HDF5 file is truncated or damaged: {error}") from None
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def encode(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """A file of gzip-compressed datasets, without time stamps: the same arrays give the same bytes."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for name, array in arrays.items():
            can_be_chunked = array.ndim > 0 and array.size > 0
            file.create_dataset(name, data=array, compression="gzip" if can_be_chunked else None, track_times=False)
    return buffer.getvalue()


def _find(file: h5py.File, name: str) -> h5py.Dataset:
    # a link or an external dataset would read another file of the machine on behalf of an untrusted one
    if name not in file or isinstance(file.get(name, getlink=True), h5py.ExternalLink):
        raise FormatError(f"the HDF5 file has no dataset {name!r}; it has: {', '.join(sorted(file)) or 'none'}")
    found = file[name]
    if not isinstance(found, h5py.Dataset) or found.dtype.kind not in "biuf":
        raise FormatError(f"{name!r} of the HDF5 file is not an array of plain numbers")
    if found.is_virtual or found.external:
        raise FormatError(f"{name!r} of the HDF5 file keeps its numbers in another file")
    if found.size > MAX_PIXELS * 3:
        raise FormatError(f"{name!r} of the HDF5 file says {found.shape}, too many numbers", reason="too-large")
    return found
