"""The end of a build: ledgers added up to a dataset's index and counts, and datasets to the manifest of the mix."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType

from dpt_bench.conversion.members import dataset_name
from dpt_bench.conversion.options import BuildOptions
from dpt_bench.conversion.plan import DatasetPlan
from dpt_bench.core.mix import Mix
from dpt_bench.core.provenance import provenance
from dpt_bench.shards.compaction import compact, summarise
from dpt_bench.shards.index import encode_table, read_ledger
from dpt_bench.shards.layout import DATASET, INDEX, MANIFEST, REJECTED, ShardStore
from dpt_bench.shards.records import (
    BuiltRecord,
    DatasetRecord,
    Manifest,
    MemberRecord,
    built_record,
    encode_record,
    read_dataset_record,
)
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


def write_manifest(store: ShardStore, mix: Mix, options: BuildOptions, missing: Mapping[str, str]) -> None:
    """Write manifest.json from the datasets that are finished at the URL; without any the claim stays as it is."""
    written: dict[str, BuiltRecord] = {}
    while (built := _finished(store, mix)) != written:  # another build may have finished a dataset in between
        store.put_bytes(MANIFEST, encode_record(new_manifest(mix, options, built, missing)))
        written = built


def new_manifest(
    mix: Mix,
    options: BuildOptions,
    built: Mapping[str, BuiltRecord] = MappingProxyType({}),
    missing: Mapping[str, str] = MappingProxyType({}),
) -> Manifest:
    """What manifest.json says of a mix of which these datasets are built, and why each other one is missing."""
    names = [dataset_name(member) for member in mix.members]
    return Manifest(
        mix=mix.name,
        mix_version=mix.version,
        members=tuple(MemberRecord(dataset=dataset_name(member), weight=member.weight) for member in mix.members),
        options=options.shared(),
        datasets=dict(built),
        missing={name: missing.get(name, "not built") for name in names if name not in built},
        provenance=provenance(),
    )


def _finished(store: ShardStore, mix: Mix) -> dict[str, BuiltRecord]:
    records = {name: read_dataset_record(store, name) for name in map(dataset_name, mix.members)}
    return {name: built_record(record) for name, record in records.items() if record is not None and record.complete}
