"""Reads samples out of shards: one by one with a single ranged read, or a whole shard in order."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from dpt_bench.core.errors import DataError, FormatError
from dpt_bench.shards import tar_header
from dpt_bench.shards.codec import MEMBER_ORDER, CodedSample, ShardSample, decode_coded, decode_members
from dpt_bench.shards.layout import ShardStore
from dpt_bench.shards.tar_header import BLOCK
from dpt_bench.shards.writer import END_OF_ARCHIVE, MemberSpan

REPAIR = "run `dpt-bench verify` on the shards; it says what to rebuild"


@dataclass(frozen=True)
class RawSample:
    """A sample as its bytes: where it lies in its shard, and ending -> bytes."""

    span: MemberSpan
    members: dict[str, bytes]


def read_sample(store: ShardStore, shard: str, offset: int, length: int) -> ShardSample:
    """The sample at one byte range of a shard (`shard` with its folder: "redweb/train-00000.tar").

    Raises:
        DataError: the shard is missing or corrupt there.
    """
    return decode_sample(*_read_raw(store, shard, offset, length))


def read_coded(store: ShardStore, shard: str, offset: int, length: int) -> CodedSample:
    """As `read_sample`, of a depth shard, with the target still as codes.

    Raises:
        DataError: the shard is missing or corrupt there, or the sample holds no inverse depth.
    """
    raw, where = _read_raw(store, shard, offset, length)
    try:
        return decode_coded(raw.span.key, raw.members)
    except FormatError as error:
        raise _damaged(raw, error, where) from error


def _read_raw(store: ShardStore, shard: str, offset: int, length: int) -> tuple[RawSample, str]:
    """The sample's bytes, and where they lie, for messages."""
    where = f"{store.address(shard)} at byte {offset}"
    try:
        data = store.read_range(shard, offset, length)
    except FileNotFoundError:
        raise DataError("a shard is missing", where=store.address(shard), fix=REPAIR) from None
    if len(data) != length:
        raise DataError(f"the shard ends {length - len(data)} bytes too early", where=where, fix=REPAIR)
    samples = list(_parse(io.BytesIO(data), where))
    if len(samples) != 1:
        raise DataError(f"expected one sample, found {len(samples)}", where=where, fix=REPAIR)
    return samples[0], where


def iterate_shard(store: ShardStore, shard: str) -> Iterator[ShardSample]:
    """All samples of a shard, in order, read as a stream.

    Raises:
        DataError: the shard is missing, truncated (also at the border between two samples) or corrupt.
    """
    where = store.address(shard)
    try:
        with store.open(shard) as stream:
            for raw in parse_shard(stream, where):
                yield decode_sample(raw, where)
    except FileNotFoundError:
        raise DataError("a shard is missing", where=where, fix=REPAIR) from None


def decode_sample(raw: RawSample, where: str) -> ShardSample:
    """Decode the members of one sample; what is wrong with them becomes a DataError that names the shard."""
    try:
        return decode_members(raw.span.key, raw.members)
    except FormatError as error:
        raise _damaged(raw, error, where) from error


def _damaged(raw: RawSample, error: FormatError, where: str) -> DataError:
    return DataError(f"sample {raw.span.key!r}: {error.what}", where=where, fix=REPAIR)


def parse_shard(stream: IO[bytes], where: str) -> Iterator[RawSample]:
    """The samples of a whole tar, up to its two closing blocks of zeros, which a truncated one lacks.

    Raises:
        DataError: a header or a member is damaged or cut off, the closing blocks are missing, or more follows them.
    """
    yield from _parse(stream, where)
    rest = END_OF_ARCHIVE[:BLOCK] + stream.read(2 * BLOCK)
    if rest != END_OF_ARCHIVE:
        raise DataError("the end-of-archive blocks are not as they were written", where=where, fix=REPAIR)


def _parse(stream: IO[bytes], where: str) -> Iterator[RawSample]:
    """Samples until the stream ends or, for a whole tar, until the first closing block is read."""
    key, start, position = "", 0, 0
    members: dict[str, bytes] = {}
    while (block := stream.read(BLOCK)) and block != END_OF_ARCHIVE[:BLOCK]:
        name, size = _parse_header(block, where)
        member_key, ending = _split_name(name)
        if members and member_key != key:
            yield RawSample(MemberSpan(key, start, position - start), members)
            members, start = {}, position
        body, padding = stream.read(size), -size % BLOCK
        if len(body) != size or len(stream.read(padding)) != padding or ending in members:
            raise DataError(f"member {name!r} is cut off or doubled", where=where, fix=REPAIR)
        key, members[ending] = member_key, body
        position += BLOCK + size + padding
    if members:
        yield RawSample(MemberSpan(key, start, position - start), members)


def _parse_header(block: bytes, where: str) -> tuple[str, int]:
    try:
        return tar_header.decode(block)
    except FormatError as error:
        raise DataError(error.what, where=where, fix=REPAIR) from None


def _split_name(name: str) -> tuple[str, str]:
    for ending in MEMBER_ORDER:
        if name.endswith(f".{ending}"):
            return name.removesuffix(f".{ending}"), ending
    key, _, ending = name.partition(".")
    return key, ending
