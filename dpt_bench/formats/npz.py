"""NumPy's .npz archives with one array of plain numbers, such as a flow field; never pickles."""

from __future__ import annotations

import io
import zipfile
import zlib
from typing import Any

from numpy.typing import NDArray

from dpt_bench.core.errors import FormatError
from dpt_bench.formats import npy
from dpt_bench.formats._checks import MAX_PIXELS, not_a

_MAGIC = b"PK\x03\x04"
_MAX_BYTES = MAX_PIXELS * 8
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date a ZIP can hold: the same array gives the same bytes


def decode(data: bytes, *, max_bytes: int = _MAX_BYTES) -> NDArray[Any]:
    """The only array of the archive.

    Raises:
        FormatError: no ZIP, damaged, not exactly one array of plain numbers, or more than `max_bytes` decompressed
            (reason "too-large").
    """
    if data[:4] != _MAGIC:
        raise not_a("NPZ", data)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            if len(members) != 1:
                raise FormatError(f"the NPZ file holds {len(members)} arrays, one was expected")
            if members[0].file_size > max_bytes:
                raise FormatError(
                    f"the NPZ file's array has {members[0].file_size:,} bytes, more than {max_bytes:,}",
                    reason="too-large",
                )
            content = archive.read(members[0])
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise FormatError(f"the NPZ file is damaged: {error}") from None
    return npy.decode(content)


def encode(array: NDArray[Any], name: str = "arr_0") -> bytes:
    """A compressed archive, as `numpy.savez_compressed` writes it; the same array gives the same bytes."""
    buffer = io.BytesIO()
    member = zipfile.ZipInfo(f"{name}.npy", date_time=_EPOCH)
    member.compress_type = zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(member, npy.encode(array))
    return buffer.getvalue()
