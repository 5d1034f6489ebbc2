"""manifest.json: which mix a place belongs to, and which of its datasets are finished there."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from dpt_bench.conversion.members import dataset_name
from dpt_bench.conversion.options import BuildOptions
from dpt_bench.core.errors import UsageError
from dpt_bench.core.mix import Mix
from dpt_bench.core.provenance import provenance
from dpt_bench.shards.layout import MANIFEST, ShardStore
from dpt_bench.shards.records import (
    BuiltRecord,
    Manifest,
    MemberRecord,
    built_record,
    encode_record,
    read_claim,
    read_dataset_record,
)
from dpt_bench.shards.temporary import remove_abandoned


def new_manifest(mix: Mix, options: BuildOptions) -> Manifest:
    """What manifest.json says of a mix before any of its datasets is finished."""
    names = [dataset_name(member) for member in mix.members]
    return Manifest(
        mix=mix.name,
        mix_version=mix.version,
        members=tuple(MemberRecord(dataset=dataset_name(member), weight=member.weight) for member in mix.members),
        options=options.shared(),
        datasets={},
        missing=dict.fromkeys(names, "not built"),
        provenance=provenance(),
    )


def write_manifest(
    store: ShardStore, mix: Mix, options: BuildOptions, missing: Mapping[str, str] = MappingProxyType({})
) -> None:
    """Write manifest.json from the datasets that are finished at the URL; without any the claim stays as it is.

    A larger mix may have taken the place over meanwhile: then the manifest stays that mix's. missing: why a dataset is
    not there.

    Raises:
        UsageError: the place belongs to another mix now.
    """
    written: Manifest | None = None
    while (manifest := _manifest_now(store, mix, options, missing)) != written:  # another build may write it as well
        if not manifest.datasets:
            break
        store.put_bytes(MANIFEST, encode_record(manifest))
        written = manifest
    if store.local_root is not None:
        remove_abandoned(store.local_root, MANIFEST)


def take_over(store: ShardStore, mix: Mix, options: BuildOptions) -> None:
    """Make the place, which belongs to a mix that is no larger, this mix's; what is finished there stays.

    Raises:
        UsageError: another mix was faster.
    """
    place = read_claim(store)
    mine = new_manifest(mix, options)
    if place is None or not _is_same_mix(place, mine):
        store.put_bytes(MANIFEST, encode_record(_filled(store, mine, {})))
    place = read_claim(store)
    if place is not None and not _is_same_mix(place, mine):
        refuse_smaller_mix(store, place, mix)


def refuse_smaller_mix(store: ShardStore, place: Manifest, mix: Mix) -> None:
    """Pass where the mix has all members of the one that the place belongs to.

    Raises:
        UsageError: it has not.
    """
    names = {dataset_name(member) for member in mix.members}
    if lost := [member.dataset for member in place.members if member.dataset not in names]:
        raise UsageError(
            f"the shards there are of {place.mix}, with {', '.join(lost)}, which {mix.name} has not",
            where=store.url,
            fix=f"choose another --out; or, if {place.mix} is given up there, delete {MANIFEST}: shards are kept",
        )


def _manifest_now(store: ShardStore, mix: Mix, options: BuildOptions, missing: Mapping[str, str]) -> Manifest:
    """The manifest to write: of the mix that the place belongs to, where that has all members of this one."""
    mine = new_manifest(mix, options)
    place = read_claim(store)
    if place is not None and _names(mine) <= _names(place):
        return _filled(store, place.model_copy(update={"provenance": mine.provenance}), missing)
    if place is not None:
        refuse_smaller_mix(store, place, mix)
    return _filled(store, mine, missing)


def _filled(store: ShardStore, manifest: Manifest, missing: Mapping[str, str]) -> Manifest:
    """The same with the datasets that are finished at the URL, and why each other one is missing."""
    datasets: dict[str, BuiltRecord] = {}
    for member in manifest.members:
        record = read_dataset_record(store, member.dataset)
        if record is not None and record.complete:
            datasets[member.dataset] = built_record(record)
    absent = [member.dataset for member in manifest.members if member.dataset not in datasets]
    why = {name: missing.get(name, "not built") for name in absent}
    return manifest.model_copy(update={"datasets": datasets, "missing": why})


def _is_same_mix(one: Manifest, other: Manifest) -> bool:
    return (one.mix, one.mix_version, one.members) == (other.mix, other.mix_version, other.members)


def _names(manifest: Manifest) -> set[str]:
    return {member.dataset for member in manifest.members}
