"""The JSON files of a shard folder: dataset.json, identity and counts of one dataset; manifest.json, the mix."""

from __future__ import annotations

import hashlib
from typing import TypeVar

from pydantic import Field, ValidationError

from dpt_bench.core.errors import DataError
from dpt_bench.core.toml import Strict
from dpt_bench.shards.layout import DATASET, MANIFEST, SCHEMA_VERSION, ShardStore

Options = dict[str, int | float | str | None]


class ItemsRecord(Strict):
    """The raw items that a split was planned from; the hash is over keys and source files."""

    count: int
    sha256: str


class ShardRecord(Strict):
    """One finished shard."""

    name: str
    samples: int
    rejected: int
    num_bytes: int
    sha256: str


class Identity(Strict):
    """What determines every byte of a dataset's shards: two builds agree only where it agrees."""

    schema_version: int = SCHEMA_VERSION
    dataset: str
    recipe_version: int
    recipe_sha256: str
    options: Options
    items: dict[str, ItemsRecord]

    def differences(self, other: Identity) -> list[str]:
        """One line a differing key: "options.short_side: 384 there, 512 asked for"."""
        mine, theirs = _flatten(self.model_dump()), _flatten(other.model_dump())
        keys = sorted(key for key in mine.keys() | theirs.keys() if mine.get(key) != theirs.get(key))
        return [f"{key}: {mine.get(key)} there, {theirs.get(key)} asked for" for key in keys]


class DatasetRecord(Strict):
    """dataset.json. It is created exclusively before the first shard; counts follow when the last one is done.

    complete: every shard is there and not too many items were rejected.
    """

    identity: Identity
    complete: bool = False
    samples: dict[str, int] = Field(default_factory=dict)
    rejections: dict[str, int] = Field(default_factory=dict)
    shards: tuple[ShardRecord, ...] = ()

    def sha256(self) -> str:
        """One hash for all shards: over their names and hashes, as `sha256sum` lists them."""
        lines = "".join(f"{shard.sha256}  {shard.name}\n" for shard in self.shards)
        return hashlib.sha256(lines.encode()).hexdigest()


class MemberRecord(Strict):
    """A dataset as the mix asks for it."""

    dataset: str
    weight: float


class BuiltRecord(Strict):
    """A dataset of the manifest: counts by split, and the hash of `DatasetRecord.sha256`."""

    recipe_version: int
    samples: dict[str, int]
    rejected: int
    shards: int
    num_bytes: int
    sha256: str


class Manifest(Strict):
    """manifest.json: the mix, which of its datasets are here, and which are missing and why.

    A build creates it exclusively before its first shard, without any dataset: from then on the place has its options.
    """

    schema_version: int = SCHEMA_VERSION
    mix: str
    mix_version: int
    members: tuple[MemberRecord, ...]
    options: Options
    datasets: dict[str, BuiltRecord]
    missing: dict[str, str]
    provenance: dict[str, str | None]

    @property
    def coverage(self) -> str:
        """How much of the mix is here, such as "3 of 10"."""
        return f"{len(self.datasets)} of {len(self.members)}"

    def weight(self, dataset: str) -> float:
        """The dataset's share of the samples drawn, relative to the other members."""
        return next(member.weight for member in self.members if member.dataset == dataset)


def built_record(record: DatasetRecord) -> BuiltRecord:
    """What the manifest says of a finished dataset."""
    return BuiltRecord(
        recipe_version=record.identity.recipe_version,
        samples=record.samples,
        rejected=sum(shard.rejected for shard in record.shards),
        shards=len(record.shards),
        num_bytes=sum(shard.num_bytes for shard in record.shards),
        sha256=record.sha256(),
    )


Record = TypeVar("Record", bound=Strict)


def encode_record(record: Strict) -> bytes:
    """JSON for people: indented, with a final newline."""
    return (record.model_dump_json(indent=2) + "\n").encode()


def read_dataset_record(store: ShardStore, dataset: str) -> DatasetRecord | None:
    """dataset.json, None where nobody has begun the dataset.

    Raises:
        DataError: the file is corrupt or of another version.
    """
    return _read(store, f"{dataset}/{DATASET}", DatasetRecord)


def read_manifest(store: ShardStore) -> Manifest | None:
    """manifest.json, None where no dataset is finished.

    Raises:
        DataError: the file is corrupt or of another version.
    """
    manifest = read_claim(store)
    return manifest if manifest is not None and manifest.datasets else None


def read_claim(store: ShardStore) -> Manifest | None:
    """manifest.json even where no dataset is finished, None where nobody has begun a build.

    Raises:
        DataError: the file is corrupt or of another version.
    """
    return _read(store, MANIFEST, Manifest)


def _read(store: ShardStore, name: str, schema: type[Record]) -> Record | None:
    try:
        data = store.read_bytes(name)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        return schema.model_validate_json(data)
    except ValidationError as error:
        what = f"damaged, or not a file of this version, which reads schema {SCHEMA_VERSION}"
        fix = "if another version made it, build into a new folder; if not, delete it and build again: shards are kept"
        raise DataError(f"{what}: {error.error_count()} wrong keys", where=store.address(name), fix=fix) from error


def _flatten(tree: dict[str, object], prefix: str = "") -> dict[str, object]:
    flat: dict[str, object] = {}
    for key, value in tree.items():
        flat |= _flatten(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return flat
