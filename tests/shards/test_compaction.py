from __future__ import annotations

from pathlib import Path

from dpt_bench.shards.compaction import compact, summarise
from dpt_bench.shards.index import read_ledger
from dpt_bench.shards.layout import ShardStore
from dpt_bench.shards.records import read_dataset_record

SHARDS = ["train-00000.tar", "train-00001.tar", "val-00000.tar"]


def test_every_row_of_the_ledgers_is_in_one_of_two_tables(folder: Path) -> None:
    ledgers = [read_ledger(ShardStore.at(folder), "toy", shard) for shard in SHARDS]
    index, rejected = compact(ledgers)
    keys = [key for ledger in ledgers for key in ledger.table["key"].to_pylist()]
    assert sorted(index["key"].to_pylist() + rejected["key"].to_pylist()) == sorted(keys)
    assert index["shard"].to_pylist() == [SHARDS[0]] * 3 + [SHARDS[1]] * 2 + [SHARDS[2]]


def test_the_summary_counts(folder: Path) -> None:
    store = ShardStore.at(folder)
    record = read_dataset_record(store, "toy")
    assert record is not None
    again = summarise(record.identity, [(name, read_ledger(store, "toy", name)) for name in SHARDS], complete=True)
    assert again == record
    assert sum(shard.num_bytes for shard in again.shards) == sum((folder / "toy" / s).stat().st_size for s in SHARDS)


def test_nothing_adds_up_to_empty_tables() -> None:
    index, rejected = compact([])
    assert index.num_rows == rejected.num_rows == 0
    assert "offset" in index.column_names
    assert "reason" in rejected.column_names
