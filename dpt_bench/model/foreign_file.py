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
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"GGUF", "GGUF"),
)
_ONNX_FIELDS = b"\x12\x1a\x22\x28\x32\x3a\x42"
"""Tags of what may follow an ONNX model's version: producer, domain, model version, documentation, graph, opset."""


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
    if len(head) > 2 and head[0] == 8 and head[1] < 64 and head[2] in _ONNX_FIELDS:
        raise DataError("the file is not a checkpoint, it is an ONNX model", where=path, fix=f"--model onnx:{path}")
    if head and all(byte in b"\t\n\r" or 32 <= byte < 127 for byte in head):
        line = head.decode().strip().splitlines() or [""]
        raise DataError(
            f"the file is not a checkpoint, it is text: {line[0][:60]!r}", where=path, fix="download it again"
        )
    if head.startswith(ZIP):
        _refuse_foreign_zip(path)


def _refuse_foreign_zip(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise damaged(path) from error
    names = {member.filename.rpartition("/")[2] for member in members}
    if "constants.pkl" in names:  # of these, the code is compressed
        raise DataError(
            "the file is a TorchScript program, not weights; nothing of it was run",
            where=path,
            fix="give the weights that the program was made from",
        )
    if any(member.compress_type != zipfile.ZIP_STORED for member in members) or (
        sum(member.file_size for member in members) > path.stat().st_size
    ):
        raise DataError(
            "the file's parts are compressed or overlap; a checkpoint's never are, so it was not read",
            where=path,
            fix="do not use it: reading it could fill the memory; or re-save its tensors with torch.save",
        )
    if "data.pkl" not in names:
        raise DataError("the file is a zip archive that torch.save did not write", where=path, fix="unpack it first")
