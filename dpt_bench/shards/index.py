"""Ledgers and indexes: parquet tables with one row a sample, and the schemas they keep."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from dpt_bench.core.errors import DataError
from dpt_bench.core.toml import Strict
from dpt_bench.shards.columns import table_of
from dpt_bench.shards.layout import INDEX, REJECTED, ShardStore, ledger_name

ACCEPTED = "accepted"
REJECTED_STATUS = "rejected"
_RECORD_KEY = b"dpt_bench"
_FINISH = "run the build again: it finishes what is missing"
_STREAM_BUFFER = 1 << 20

_WHO = [
    pa.field("key", pa.string(), nullable=False),
    pa.field("split", pa.string(), nullable=False),
    pa.field("shard", pa.string(), nullable=False),
    pa.field("scene", pa.string(), nullable=False),
    pa.field("sources", pa.list_(pa.string()), nullable=False),
]
_FATE = [
    pa.field("status", pa.string(), nullable=False),
    pa.field("reason", pa.string()),
    pa.field("message", pa.string()),
]
_FACTS = [
    pa.field("kind", pa.string()),
    pa.field("offset", pa.int64()),
    pa.field("length", pa.int64()),
    pa.field("height", pa.int32()),
    pa.field("width", pa.int32()),
    pa.field("original_height", pa.int32()),
    pa.field("original_width", pa.int32()),
    pa.field("valid_fraction", pa.float64()),
    pa.field("sky_fraction", pa.float64()),
    pa.field("lo", pa.float64()),
    pa.field("hi", pa.float64()),
]
LEDGER_SCHEMA = pa.schema(_WHO + _FATE + _FACTS)
"""One row an item of the shard's plan, accepted or rejected. `kind` is a DepthKind or "labels"; offset and length give
the one byte range of the sample's members; fractions are of all pixels, sky_fraction is null without a sky signal."""
INDEX_SCHEMA = pa.schema(_WHO + _FACTS)
REJECTED_SCHEMA = pa.schema([*_WHO, *_FATE[1:]])


class LedgerRecord(Strict):
    """What a ledger says about its shard; `job_sha256` names the encoding, recipe, options and items it was made of."""

    schema_version: int
    job_sha256: str
    samples: int
    rejected: int
    num_bytes: int
    sha256: str


@dataclass(frozen=True)
class Ledger:
    """A shard's ledger: rows of LEDGER_SCHEMA in the order of the plan, and the facts of the tar."""

    record: LedgerRecord
    table: pa.Table


def encode_ledger(rows: Sequence[dict[str, Any]], record: LedgerRecord) -> bytes:
    """Parquet bytes of a ledger, the same for the same rows."""
    schema = LEDGER_SCHEMA.with_metadata({_RECORD_KEY: record.model_dump_json().encode()})
    return encode_table(table_of(rows, schema))


def encode_table(table: pa.Table) -> bytes:
    """Parquet bytes of a table, zstd-compressed."""
    stream = io.BytesIO()
    pq.write_table(table, stream, compression="zstd")
    return stream.getvalue()


def read_ledger(store: ShardStore, dataset: str, shard: str) -> Ledger:
    """The ledger beside a shard.

    Raises:
        FileNotFoundError: there is none: the shard is not committed.
        DataError: it is not a ledger of this version.
    """
    name = f"{dataset}/{ledger_name(shard)}"
    table = _read_table(store, name, None)
    text = (table.schema.metadata or {}).get(_RECORD_KEY)
    try:
        record = LedgerRecord.model_validate_json(text or b"")
    except ValidationError as error:
        raise DataError("the ledger says nothing about its shard", where=store.address(name)) from error
    return Ledger(record, _with_schema(table, LEDGER_SCHEMA, store.address(name)))


def read_index(store: ShardStore, dataset: str, split: str | None, columns: Sequence[str] | None = None) -> pa.Table:
    """Rows of INDEX_SCHEMA, or only its `columns`, of one split or of all: shards in order, samples in their order.

    Raises:
        DataError: the index is missing or corrupt.
    """
    names = INDEX_SCHEMA.names if columns is None else list(dict.fromkeys([*columns, "split"]))
    schema = pa.schema([INDEX_SCHEMA.field(name) for name in names])
    table = _read_committed(store, f"{dataset}/{INDEX}", schema)
    if split is not None:
        table = rows_where(table, "split", split)
    return table if columns is None else table.select(list(columns))


def rows_where(table: pa.Table, column: str, value: str) -> pa.Table:
    """The rows of a table in which a column has a value."""
    import pyarrow.compute as pc  # takes a tenth of a second, which every worker of a build would spend at its start

    return table.filter(pc.equal(table[column], value))


def iterate_rows(store: ShardStore, name: str, columns: Sequence[str], batch_size: int = 65536) -> Iterator[pa.Table]:
    """Some columns of an index.parquet or rejected.parquet (`name` with its folder), in blocks of few rows.

    However many rows there are, only one block of them is in memory.

    Raises:
        DataError: the table is missing or corrupt.
    """
    schema = pa.schema(
        [(INDEX_SCHEMA if name.endswith(INDEX) else REJECTED_SCHEMA).field(column) for column in columns]
    )
    where = store.address(name)
    try:
        with store.open(name) as stream, pq.ParquetFile(stream, buffer_size=_STREAM_BUFFER) as file:
            for batch in file.iter_batches(batch_size, columns=list(columns), use_threads=False):  # see `_reader`
                yield _with_schema(pa.table(batch), schema, where)
    except FileNotFoundError:
        raise DataError("a table is missing", where=where, fix=_FINISH) from None
    except (pa.ArrowException, KeyError) as error:
        raise DataError(f"not a table of ours: {error}", where=where) from error


def read_rejected(store: ShardStore, dataset: str) -> pa.Table:
    """Rows of REJECTED_SCHEMA: every item that is in no shard, and why.

    Raises:
        DataError: the table is missing or corrupt.
    """
    return _read_committed(store, f"{dataset}/{REJECTED}", REJECTED_SCHEMA)


def _read_committed(store: ShardStore, name: str, schema: pa.Schema) -> pa.Table:
    try:
        return _with_schema(_read_table(store, name, schema.names), schema, store.address(name))
    except FileNotFoundError:
        raise DataError("a table is missing", where=store.address(name), fix=_FINISH) from None


def _read_table(store: ShardStore, name: str, columns: list[str] | None) -> pa.Table:
    try:
        # a file read as a dataset gives the same, and loads arrow's engines for datasets and for computing first
        return pq.ParquetFile(_reader(store.read_bytes(name))).read(columns=columns)
    except (pa.ArrowException, KeyError) as error:
        raise DataError(f"not a table of ours: {error}", where=store.address(name)) from error


def _reader(data: bytes) -> pa.BufferReader:
    """The bytes in memory that is Arrow's own.

    Its threads may let go of what they read a moment after the table is there. Of a Python object they would do so with
    the interpreter's lock, and one that waits for that as the interpreter ends takes the whole process down (SIGABRT).
    """
    copy = pa.BufferOutputStream()
    copy.write(data)
    return pa.BufferReader(copy.getvalue())


def _with_schema(table: pa.Table, schema: pa.Schema, where: str) -> pa.Table:
    try:
        chosen = table.select(schema.names)
        # casting, even to the same types, loads arrow's engine for computing
        return chosen.replace_schema_metadata() if chosen.schema.equals(schema) else chosen.cast(schema)
    except (pa.ArrowException, KeyError, ValueError) as error:
        raise DataError(f"columns are missing or of another type: {error}", where=where) from error
