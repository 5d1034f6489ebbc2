"""Adds the ledgers of a dataset up to its index, its rejected items and its counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pyarrow as pa

from dpt_bench.shards.index import (
    ACCEPTED,
    INDEX_SCHEMA,
    LEDGER_SCHEMA,
    REJECTED_SCHEMA,
    REJECTED_STATUS,
    Ledger,
    rows_where,
)
from dpt_bench.shards.records import DatasetRecord, Identity, ShardRecord


def compact(ledgers: Sequence[Ledger]) -> tuple[pa.Table, pa.Table]:
    """Index and rejected items (INDEX_SCHEMA, REJECTED_SCHEMA) of ledgers in the order of their shards."""
    plain = [ledger.table.replace_schema_metadata() for ledger in ledgers]
    rows = pa.concat_tables(plain) if plain else LEDGER_SCHEMA.empty_table()
    accepted = rows_where(rows, "status", ACCEPTED).select(INDEX_SCHEMA.names).cast(INDEX_SCHEMA)
    rejected = rows_where(rows, "status", REJECTED_STATUS).select(REJECTED_SCHEMA.names)
    return accepted.combine_chunks(), rejected.cast(REJECTED_SCHEMA).combine_chunks()


def summarise(identity: Identity, shards: Sequence[tuple[str, Ledger]], *, complete: bool) -> DatasetRecord:
    """dataset.json of a dataset whose (shard, ledger) pairs these are."""
    index, rejected = compact([ledger for _, ledger in shards])
    samples = Counter(index["split"].to_pylist())
    return DatasetRecord(
        identity=identity,
        complete=complete,
        samples={split: samples[split] for split in identity.items},
        rejections=dict(sorted(Counter(rejected["reason"].to_pylist()).items())),
        shards=tuple(_shard_record(shard, ledger) for shard, ledger in shards),
    )


def _shard_record(shard: str, ledger: Ledger) -> ShardRecord:
    record = ledger.record
    return ShardRecord(
        name=shard,
        samples=record.samples,
        rejected=record.rejected,
        num_bytes=record.num_bytes,
        sha256=record.sha256,
    )
