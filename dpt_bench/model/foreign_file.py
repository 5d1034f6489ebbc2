"""What a file that is not a checkpoint may be, told from its first bytes and its table of contents."""

from __future__ import annotations

import zipfile
from pathlib import Path

from dpt_bench.core.errors import DataError

ZIP, PICKLE = b"PK\x03\x04", b"\x80"

_SIGNATURES = (
    (b"version https://git-lfs", "a Git LFS pointer: the file it stands for was never downloaded"),
    (b"<", "a web page or another text: what should have been downloaded was not"),
    (b"{", "JSON text"),
    (b"\x89HDF", "HDF5"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\x1f\x8b", "gzip-compressed"),
    (b"\x08\x03\x12", "an ONNX model"),
)


def damaged(path: Path) -> DataError:
    return DataError(
        "the file is empty, truncated or not a checkpoint",
        where=path,
        fix="copy or download it again, or go back to an older checkpoint of the same run",
    )


def refuse_foreign(path: Path, head: bytes) -> None:
    """Look at a file's first bytes and, if it is a zip, at its table of contents.

    Raises:
        DataError: it is of a known other kind, a damaged zip, or a zip that would expand when it is read.
    """
    start = head.lstrip().lower() if head[:1].isspace() or head[:1] == b"<" else head
    for signature, kind in _SIGNATURES:
        if start.startswith(signature):
            raise DataError(f"the file is not a checkpoint, it is {kind}", where=path, fix="give a file of weights")
    if head.startswith(ZIP):
        _refuse_foreign_zip(path)


def _refuse_foreign_zip(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise damaged(path) from error
    if any(member.compress_type != zipfile.ZIP_STORED for member in members) or (
        sum(member.file_size for member in members) > path.stat().st_size
    ):
        raise DataError(
            "the file's parts are compressed or overlap; a checkpoint's never are, so it was not read",
            where=path,
            fix="do not use it: reading it could fill the memory; or re-save its tensors with torch.save",
        )
    names = {member.filename.rpartition("/")[2] for member in members}
    if "constants.pkl" in names:
        raise DataError(
            "the file is a TorchScript program, not weights; nothing of it was run",
            where=path,
            fix="give the weights that the program was made from",
        )
    if "data.pkl" not in names:
        raise DataError("the file is a zip archive that torch.save did not write", where=path, fix="unpack it first")
