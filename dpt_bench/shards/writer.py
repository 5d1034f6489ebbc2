"""Writes a shard's tar, the same bytes for the same members, and knows where each sample lies.

webdataset's TarWriter is not used: it opens `tarfile` in stream mode, which hides the offsets, and it closes the
archive validly even when an exception leaves its block.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from dpt_bench.core.errors import SampleError
from dpt_bench.shards import tar_header
from dpt_bench.shards.codec import MEMBER_ORDER, is_valid_key
from dpt_bench.shards.tar_header import BLOCK

END_OF_ARCHIVE = bytes(2 * BLOCK)


@dataclass(frozen=True)
class MemberSpan:
    """The one contiguous range of a shard's bytes that holds all members of a sample, headers and padding included."""

    key: str
    offset: int
    length: int


@dataclass(frozen=True)
class TarFacts:
    """What was written: size and hash of the whole file."""

    num_bytes: int
    sha256: str


class TarWriter:
    """Appends samples to a new file. Only `finish` writes the end-of-archive blocks: no half tar can look whole."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self._hash = hashlib.sha256()
        self._position = 0

    def add(self, key: str, members: Mapping[str, bytes]) -> MemberSpan:
        """Append the members of one sample, in the fixed order of endings.

        Raises:
            SampleError: the key cannot name tar members ("bad-key").
            OSError: as the disk says.
        """
        headers = {ending: _header(key, ending, len(members[ending])) for ending in MEMBER_ORDER if ending in members}
        assert len(headers) == len(members), f"members without a place in the order: {sorted(members)}"
        start = self._position
        for ending, header in headers.items():
            self._write(header)
            self._write(members[ending])
            self._write(bytes(-len(members[ending]) % BLOCK))
        return MemberSpan(key, start, self._position - start)

    def finish(self) -> TarFacts:
        """End the archive and close the file."""
        self._write(END_OF_ARCHIVE)
        self._file.close()
        return TarFacts(self._position, self._hash.hexdigest())

    def abandon(self) -> None:
        """Close the file without ending the archive."""
        self._file.close()

    def _write(self, data: bytes) -> None:
        self._file.write(data)
        self._hash.update(data)  # hashing on the way costs less than reading the file again
        self._position += len(data)


def write_tar(path: Path, samples: Iterable[tuple[str, Mapping[str, bytes]]]) -> list[MemberSpan]:
    """Write (key, ending -> bytes) pairs as a tar at `path`; see `TarWriter`."""
    writer = TarWriter(path)
    try:
        spans = [writer.add(key, members) for key, members in samples]
        writer.finish()
    finally:
        writer.abandon()
    return spans


def _header(key: str, ending: str, size: int) -> bytes:
    if not is_valid_key(key):
        raise SampleError("bad-key", f"a key may hold [A-Za-z0-9_-] and / between, got {key!r}")
    return tar_header.encode(f"{key}.{ending}", size)
