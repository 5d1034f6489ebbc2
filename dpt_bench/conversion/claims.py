"""Who a place belongs to: manifest.json and dataset.json are created exclusively, other builds are refused.

The manifest comes first and names no dataset yet. It holds the mix and what all datasets of a place share, so that of
two builds with other options, or of mixes of which neither holds the other, only one can have an empty place.
"""

from __future__ import annotations

from dpt_bench.conversion.manifest import new_manifest, refuse_smaller_mix, take_over
from dpt_bench.conversion.members import dataset_name
from dpt_bench.conversion.options import BuildOptions
from dpt_bench.core.errors import UsageError
from dpt_bench.core.mix import Mix
from dpt_bench.shards.layout import DATASET, MANIFEST, ShardStore
from dpt_bench.shards.records import (
    DatasetRecord,
    Identity,
    Options,
    encode_record,
    read_claim,
    read_dataset_record,
)

_FIX = "use the same options, or another --out; or delete what is there"


def claim_place(store: ShardStore, mix: Mix, options: BuildOptions) -> None:
    """Create manifest.json, unless somebody has created it for the same options and this mix or a smaller one.

    A smaller one that still runs goes on, as a part of this mix.

    Raises:
        UsageError: the place belongs to a build with other options, or to a mix with members that this one has not.
        OSError: it cannot be written.
    """
    try:
        store.put_exclusive(MANIFEST, encode_record(new_manifest(mix, options)))
    except FileExistsError:
        refuse_other_place(store, mix, options)
        take_over(store, mix, options)


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


def refuse_other_place(store: ShardStore, mix: Mix, options: BuildOptions) -> None:
    """Pass where the place is free, or its datasets share the mix and the options that are not a member's own.

    Raises:
        UsageError: it was begun with other options, or for a mix with members that this one has not.
    """
    manifest = read_claim(store)
    if manifest is not None:
        _refuse_other_options("the shards there were", manifest.options, options, store.address(MANIFEST))
        refuse_smaller_mix(store, manifest, mix)
    for member in mix.members:
        record = read_dataset_record(store, dataset_name(member))
        if record is not None:
            shared = {key: record.identity.options.get(key) for key in options.shared()}
            _refuse_other_options(f"{dataset_name(member)} was", shared, options, store.url)


def _refuse_other_options(who: str, there: Options, options: BuildOptions, where: str) -> None:
    wanted = options.shared()
    if there != wanted:
        keys = [key for key in wanted if there.get(key) != wanted[key]]
        lines = "; ".join(f"{key}: {there.get(key)} there, {wanted[key]} asked for" for key in keys)
        raise UsageError(f"{who} built with other options: {lines}", where=where, fix=_FIX)
