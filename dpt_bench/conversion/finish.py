"""The end of a dataset: its ledgers added up to its index, its rejected items and its counts."""

from __future__ import annotations

from collections.abc import Collection

from dpt_bench.conversion.plan import DatasetPlan
from dpt_bench.shards.compaction import compact, summarise
from dpt_bench.shards.index import encode_table, read_ledger
from dpt_bench.shards.layout import DATASET, INDEX, REJECTED, ShardStore
from dpt_bench.shards.records import DatasetRecord, encode_record
from dpt_bench.shards.temporary import remove_abandoned


def finish_dataset(
    store: ShardStore, plan: DatasetPlan, expected: Collection[str], max_rejected: float
) -> DatasetRecord:
    """Write index.parquet, rejected.parquet and the final dataset.json; it is complete unless too much was rejected.

    expected: reasons that a sound copy of the dataset produces; such items count neither as rejected nor in the total.
    """
    ledgers = [(shard.name, read_ledger(store, plan.dataset, shard.name)) for shard in plan.shards]
    index, rejected = compact([ledger for _, ledger in ledgers])
    required = next(iter(plan.identity.items))
    has_samples = required in index["split"].unique().to_pylist()
    known = sum(reason in expected for reason in rejected["reason"].to_pylist())
    complete = has_samples and rejected.num_rows - known <= max_rejected * (plan.table.num_rows - known)
    record = summarise(plan.identity, ledgers, complete=complete)
    store.put_bytes(f"{plan.dataset}/{INDEX}", encode_table(index))
    store.put_bytes(f"{plan.dataset}/{REJECTED}", encode_table(rejected))
    store.put_bytes(f"{plan.dataset}/{DATASET}", encode_record(record))
    if store.local_root is not None:
        remove_abandoned(store.local_root / plan.dataset)
    return record
