"""The container of JPEG (ITU-T T.81, annex B): size, completeness; images.py sees to the pixels."""

from __future__ import annotations

from typing import NamedTuple

from dpt_bench.core.errors import FormatError

SIGNATURE = b"\xff\xd8\xff"
_END_OF_IMAGE = b"\xff\xd9"
_START_OF_SCAN = 0xDA
_FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # less Huffman tables, extensions, arithmetic coding
_WITHOUT_CONTENT = frozenset({0x01, *range(0xD0, 0xD8)})


class JpegHeader(NamedTuple):
    height: int
    width: int
    scan_start: int


def read_header(data: bytes) -> JpegHeader:
    """Size, and where the coded pixels begin; an EXIF thumbnail's own size is skipped with its segment.

    Raises:
        FormatError: truncated or damaged before the first scan.
    """
    size: tuple[int, int] | None = None
    position = 2
    while position + 4 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker == 0xFF or marker in _WITHOUT_CONTENT:  # 0xFF may be repeated as padding
            position += 1 if marker == 0xFF else 2
            continue
        if marker == _START_OF_SCAN and size is not None:
            return JpegHeader(*size, position)
        if marker in _FRAME_HEADERS and size is None and position + 9 <= len(data):
            size = int.from_bytes(data[position + 5 : position + 7]), int.from_bytes(data[position + 7 : position + 9])
        position += 2 + int.from_bytes(data[position + 2 : position + 4])
    raise FormatError("the JPEG file is truncated or damaged within its header")


def check_complete(data: bytes) -> None:
    """Look for the end marker after the first scan: decoders fill what is missing with grey and say nothing.

    Within coded pixels 0xFF is always followed by 0 or a restart marker, so the marker cannot occur there by chance.

    Raises:
        FormatError: truncated, or damaged before the first scan.
    """
    if data.rfind(_END_OF_IMAGE, read_header(data).scan_start) < 0:
        raise FormatError("the JPEG file is truncated: its end marker is missing")
