from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dpt_bench.core.errors import DataError
from dpt_bench.shards.index import (
    INDEX_SCHEMA,
    LEDGER_SCHEMA,
    REJECTED_SCHEMA,
    LedgerRecord,
    _reader,
    encode_ledger,
    iterate_rows,
    read_index,
    read_ledger,
    read_rejected,
)
from dpt_bench.shards.layout import ShardStore


def test_a_ledger_survives_the_round_trip(folder: Path) -> None:
    ledger = read_ledger(ShardStore.at(folder), "toy", "train-00000.tar")
    assert ledger.table.schema.equals(LEDGER_SCHEMA)
    assert ledger.table["key"].to_pylist() == ["a/0", "a/1", "b/0", "a/0-bad"]
    assert ledger.table["status"].to_pylist() == ["accepted"] * 3 + ["rejected"]
    assert ledger.record.samples == 3
    assert encode_ledger(ledger.table.to_pylist(), ledger.record) == (folder / "toy/train-00000.parquet").read_bytes()


def test_the_index_by_split_and_columns(folder: Path) -> None:
    store = ShardStore.at(folder)
    everything = read_index(store, "toy", None)
    assert everything.schema.equals(INDEX_SCHEMA)
    assert everything["key"].to_pylist() == ["a/0", "a/1", "b/0", "b/1", "c/0", "v/0"]
    train = read_index(store, "toy", "train", ["shard", "offset"])
    assert train.column_names == ["shard", "offset"]
    assert train.num_rows == 5
    assert read_index(store, "toy", "nosuch").num_rows == 0


@pytest.mark.parametrize("rows", [1, 4, 100])
def test_a_table_in_blocks_is_the_table(rows: int, folder: Path) -> None:
    store = ShardStore.at(folder)
    blocks = list(iterate_rows(store, "toy/index.parquet", ["key", "lo"], rows))
    assert max(block.num_rows for block in blocks) == min(rows, 6)
    assert pa.concat_tables(blocks).equals(read_index(store, "toy", None, ["key", "lo"]))
    (folder / "toy/rejected.parquet").write_bytes(b"PAR1 nothing")
    for name, what in (("toy/rejected.parquet", "not a table"), ("nosuch/index.parquet", "missing")):
        with pytest.raises(DataError, match=what):
            list(iterate_rows(store, name, ["key"]))


def test_rejected_items_have_sources_and_reasons(folder: Path) -> None:
    rejected = read_rejected(ShardStore.at(folder), "toy")
    assert rejected.schema.equals(REJECTED_SCHEMA)
    assert rejected["reason"].to_pylist() == ["corrupt-file"] * 3
    assert rejected["sources"].to_pylist() == [["bad.png"]] * 3


def test_missing_tables(tmp_path: Path) -> None:
    store = ShardStore.at(tmp_path)
    with pytest.raises(FileNotFoundError):
        read_ledger(store, "toy", "train-00000.tar")
    with pytest.raises(DataError, match="missing"):
        read_index(store, "toy", "train")


def _no_parquet(path: Path) -> None:
    path.write_bytes(b"PAR1 nothing")


def _other_columns(path: Path) -> None:
    metadata = pq.read_schema(path).metadata
    pq.write_table(pa.table({"a": [1]}).replace_schema_metadata(metadata), path)


def _no_record(path: Path) -> None:
    pq.write_table(pq.read_table(path).replace_schema_metadata(), path)


@pytest.mark.parametrize("damage", [_no_parquet, _other_columns, _no_record])
def test_a_foreign_ledger_is_told(folder: Path, damage: Any) -> None:
    damage(folder / "toy/train-00000.parquet")
    with pytest.raises(DataError) as error:
        read_ledger(ShardStore.at(folder), "toy", "train-00000.tar")
    assert "train-00000.parquet" in str(error.value)


def test_an_index_without_its_columns_is_told(folder: Path) -> None:
    pq.write_table(pa.table({"key": ["a"]}), folder / "toy/index.parquet")
    with pytest.raises(DataError, match=r"not a table of ours|columns are missing"):
        read_index(ShardStore.at(folder), "toy", "train")


def test_an_empty_ledger_has_all_columns() -> None:
    record = LedgerRecord(schema_version=1, job_sha256="", samples=0, rejected=0, num_bytes=1024, sha256="")
    assert len(encode_ledger([], record)) > 0


def test_arrow_reads_from_memory_of_its_own() -> None:
    """Its threads outlive a read for a moment; holding a Python object, one of them killed the process at its end."""
    data = bytes(1000)
    before = sys.getrefcount(data)
    reader = _reader(data)
    assert sys.getrefcount(data) == before
    assert reader.read() == data
