"""Who a place belongs to: dataset.json is created exclusively, and a build with other options is refused."""

from __future__ import annotations

from dpt_bench.conversion.members import dataset_name
from dpt_bench.conversion.options import BuildOptions
from dpt_bench.core.errors import UsageError
from dpt_bench.core.mix import Mix
from dpt_bench.shards.layout import DATASET, ShardStore
from dpt_bench.shards.records import DatasetRecord, Identity, encode_record, read_dataset_record


def claim(store: ShardStore, identity: Identity) -> None:
    """Create dataset.json, unless somebody has created it for the same recipe, options and items.

    Raises:
        UsageError: the place belongs to another build; names the differing keys.
        OSError: it cannot be written.
    """
    try:
        store.put_exclusive(f"{identity.dataset}/{DATASET}", encode_record(DatasetRecord(identity=identity)))
    except FileExistsError:
        refuse_other_build(store, identity)


def refuse_other_build(store: ShardStore, identity: Identity) -> None:
    """Pass where the dataset's place is free or was claimed for the same build.

    Raises:
        UsageError: the place belongs to another build; names the differing keys.
    """
    record = read_dataset_record(store, identity.dataset)
    if record is not None and record.identity != identity:
        raise UsageError(
            f"{identity.dataset} was begun there as another build: " + "; ".join(record.identity.differences(identity)),
            where=store.address(f"{identity.dataset}/{DATASET}"),
            fix="use the same options, recipe and raw files, or another --out; or delete the dataset's folder there",
        )


def refuse_other_options(store: ShardStore, mix: Mix, options: BuildOptions) -> None:
    """All datasets of one shard folder share the options that are not a member's own.

    Raises:
        UsageError: a dataset of the mix is there with others.
    """
    for member in mix.members:
        record = read_dataset_record(store, dataset_name(member))
        if record is None:
            continue
        wanted = options.shared()
        there = {key: record.identity.options.get(key) for key in wanted}
        if there != wanted:
            lines = [
                f"{key}: {there[key]} there, {wanted[key]} asked for" for key in wanted if there[key] != wanted[key]
            ]
            raise UsageError(
                f"{dataset_name(member)} was built there with other options: " + "; ".join(lines),
                where=store.url,
                fix="use the same options, or another --out",
            )
