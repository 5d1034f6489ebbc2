"""The container of PNG (W3C PNG, third edition): header, chunks, text, completeness; images.py sees to the pixels."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from dpt_bench.core.errors import FormatError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
PALETTE = 3
_GREY = 0
_HEADER_END = 33  # signature 8, length 4, "IHDR" 4, content 13, checksum 4
_MAX_TEXT_BYTES = 1 << 20


class PngHeader(NamedTuple):
    height: int
    width: int
    bit_depth: int
    colour_type: int


def read_header(data: bytes) -> PngHeader:
    """The first chunk's facts.

    Raises:
        FormatError: the first chunk is not a whole, undamaged IHDR.
    """
    name, content = next(_chunks(data), (b"", memoryview(b"")))
    if name != b"IHDR" or len(content) != 13:
        raise FormatError("the PNG file does not begin with its header chunk")
    width, height, bit_depth, colour_type = struct.unpack_from(">IIBB", content)
    return PngHeader(height, width, bit_depth, colour_type)


def check_complete(data: bytes) -> None:
    """Walk all chunks up to IEND; decoders would fill a truncated picture silently or print to stderr.

    Raises:
        FormatError: truncated, or a checksum of a critical chunk is wrong.
    """
    if not any(name == b"IEND" for name, _ in _chunks(data)):
        raise FormatError("the PNG file is truncated: its end marker is missing")


def palette_as_grey(data: bytes) -> bytes:
    """The same picture relabelled as grey, so that a decoder returns palette indices instead of colours.

    Indices of fewer than 8 bits come back stretched to 0..255, as grey is.
    """
    kept = [SIGNATURE]
    for name, content in _chunks(data):
        if name == b"IHDR":
            kept.append(_chunk(name, b"".join((content[:9], bytes([_GREY]), content[10:]))))
        elif name in (b"IDAT", b"IEND"):
            kept.append(_chunk(name, content))
    return b"".join(kept)


def as_bits(data: bytes, width: int) -> bytes:
    """An 8-bit grey file relabelled as one of `width` 1-bit pixels, of which each byte that it holds is eight."""
    _, content = next(_chunks(data))
    header = _chunk(b"IHDR", b"".join((struct.pack(">I", width), content[4:8], b"\1", content[9:])))
    return b"".join((SIGNATURE, header, data[_HEADER_END:]))


def read_text(data: bytes) -> dict[str, str]:
    """Keyword -> text of all tEXt, zTXt and iTXt chunks.

    Raises:
        FormatError: truncated or damaged, or a text of more than 1 MiB.
    """
    readers = {b"tEXt": _plain_text, b"zTXt": _compressed_text, b"iTXt": _international_text}
    texts = {}
    for name, content in _chunks(data):
        if name in readers:
            keyword, _, rest = bytes(content).partition(b"\0")
            texts[keyword.decode("latin-1")] = readers[name](rest)
    return texts


def with_text(data: bytes, text: Mapping[str, str]) -> bytes:
    """The same file with one tEXt chunk for each entry, in order, after the header."""
    chunks = [_chunk(b"tEXt", f"{keyword}\0{value}".encode("latin-1")) for keyword, value in text.items()]
    return b"".join((data[:_HEADER_END], *chunks, data[_HEADER_END:]))


def _chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    position = len(SIGNATURE)
    view = memoryview(data)
    while position < len(data):
        if position + 12 > len(data):
            raise FormatError("the PNG file is truncated")
        length, name = struct.unpack_from(">I4s", data, position)
        end = position + 8 + length
        if end + 4 > len(data):
            raise FormatError(f"the PNG file is truncated within its {name!r} chunk")
        is_critical = not name[0] & 0x20  # lower case means ancillary: viewers ignore those when damaged, so do we
        if is_critical and zlib.crc32(view[position + 4 : end]) != int.from_bytes(view[end : end + 4], "big"):
            raise FormatError(f"the PNG file is damaged: wrong checksum of its {name!r} chunk")
        yield name, view[position + 8 : end]
        if name == b"IEND":
            return
        position = end + 4


def _chunk(name: bytes, content: bytes | memoryview) -> bytes:
    checksum = zlib.crc32(content, zlib.crc32(name))
    return b"".join((struct.pack(">I", len(content)), name, content, struct.pack(">I", checksum)))


def _plain_text(rest: bytes) -> str:
    return rest.decode("latin-1")


def _compressed_text(rest: bytes) -> str:
    return _inflate(rest[1:]).decode("latin-1")


def _international_text(rest: bytes) -> str:
    text = rest[2:].split(b"\0", 2)[-1]  # after the flag, the method, the language and the translated keyword
    return (_inflate(text) if rest[:1] == b"\1" else text).decode("utf-8", errors="replace")


def _inflate(compressed: bytes) -> bytes:
    inflater = zlib.decompressobj()
    try:
        text = inflater.decompress(compressed, _MAX_TEXT_BYTES)
    except zlib.error as error:
        raise FormatError(f"a text of the PNG file is damaged: {error}") from None
    if inflater.unconsumed_tail:
        raise FormatError("a text of the PNG file is longer than 1 MiB", reason="too-large")
    return text
