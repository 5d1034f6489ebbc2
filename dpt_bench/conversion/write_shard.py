"""Converts the items of one shard into a local tar, and tells of every item in a ledger row."""

from __future__ import annotations

import errno
import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from dpt_bench.conversion.convert_item import Source, convert_item
from dpt_bench.conversion.options import SampleOptions
from dpt_bench.core.errors import FormatError, SampleError
from dpt_bench.shards import tar_header
from dpt_bench.shards.codec import IMAGE, ShardSample
from dpt_bench.shards.index import ACCEPTED, REJECTED_STATUS
from dpt_bench.shards.tar_header import BLOCK
from dpt_bench.shards.writer import END_OF_ARCHIVE, MemberSpan, TarFacts, TarWriter

Row = dict[str, Any]

_MAX_MESSAGE = 500
_PROBLEMS = {
    "bad-key": "a key may hold [A-Za-z0-9_-] and / between",
    "duplicate-key": "another item has the same key",
    "unsafe-path": "a source file is named by an absolute path or one with ..",
}


def write_shard(
    local: Path, source: Source, items: Iterable[Mapping[str, Any]], options: SampleOptions
) -> tuple[list[Row], TarFacts]:
    """Write the accepted items as a tar at `local` and check it; ledger rows of all items, and the tar's facts.

    Raises:
        OSError, DataError: the disk or the raw tree is gone; `local` is not a whole tar then.
    """
    writer = TarWriter(local)
    rows: list[Row] = []
    spans: list[MemberSpan] = []
    try:
        for item in items:
            row = {name: item[name] for name in ("key", "split", "shard", "scene")}
            try:
                sample, members = _convert(source, item, options)
                span = writer.add(sample.key, members)
            except SampleError as error:
                rows.append(row | _rejected(error, item, source.root))
            else:
                spans.append(span)
                rows.append(row | _accepted(sample, span))
        facts = writer.finish()
    finally:
        writer.abandon()
    _check_written(local, spans, facts)
    return rows, facts


def _convert(source: Source, item: Mapping[str, Any], options: SampleOptions) -> tuple[ShardSample, dict[str, bytes]]:
    problem = item["problem"]
    if problem is not None:
        raise SampleError(problem, _PROBLEMS[problem])
    return convert_item(source, item, options)


def _rejected(error: SampleError, item: Mapping[str, Any], root: Path) -> Row:
    # without the place of the raw tree, so that ledgers are the same wherever it lies
    message = " ".join(str(error).split()).replace(f"{root}/", "")[:_MAX_MESSAGE]
    return {"status": REJECTED_STATUS, "reason": error.reason, "message": message, "sources": item["files"]}


def _accepted(sample: ShardSample, span: MemberSpan) -> Row:
    height, width = sample.image.shape[:2]
    original_height, original_width = sample.meta["original_size"]
    return {
        "status": ACCEPTED,
        "sources": sample.meta["sources"],
        "kind": sample.meta["kind"],
        "offset": span.offset,
        "length": span.length,
        "height": height,
        "width": width,
        "original_height": original_height,
        "original_width": original_width,
        "valid_fraction": sample.valid_fraction,
        "sky_fraction": sample.sky_fraction,
        "lo": sample.meta.get("lo"),
        "hi": sample.meta.get("hi"),
    }


def _check_written(local: Path, spans: list[MemberSpan], facts: TarFacts) -> None:
    """The file on disk has its full size, its closing blocks, and the right header wherever a sample begins."""
    with local.open("rb") as file:
        file.seek(-len(END_OF_ARCHIVE), io.SEEK_END)
        good = file.read() == END_OF_ARCHIVE and file.tell() == facts.num_bytes
        for span in spans:
            file.seek(span.offset)
            good = good and _names(file.read(BLOCK), f"{span.key}.{IMAGE}")
    if not good:
        raise OSError(errno.EIO, "the shard on disk is not what was written", str(local))


def _names(block: bytes, name: str) -> bool:
    try:
        return tar_header.decode(block)[0] == name
    except FormatError:
        return False
