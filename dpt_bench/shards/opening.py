"""The shards of a mix, opened for reading: what training and inspection see of a shard folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from dpt_bench.core.errors import DataError, UnknownNameError, UsageError
from dpt_bench.shards.codec import CodedSample, ShardSample
from dpt_bench.shards.index import read_index, read_rejected
from dpt_bench.shards.layout import MANIFEST, SCHEMA_VERSION, ShardStore
from dpt_bench.shards.reader import read_coded, read_sample
from dpt_bench.shards.records import Manifest, read_manifest


@dataclass(frozen=True)
class Shards:
    """Finished datasets below one URL. Cheap to send to a worker: it holds the manifest and no open file."""

    store: ShardStore
    manifest: Manifest

    @property
    def url(self) -> str:
        return self.store.url

    @property
    def datasets(self) -> tuple[str, ...]:
        """Names of the datasets that are here, in the order of the mix."""
        return tuple(self.manifest.datasets)

    def splits(self, dataset: str) -> tuple[str, ...]:
        """Names of the splits of which the dataset has at least one sample."""
        self._check(dataset)
        return tuple(split for split, count in self.manifest.datasets[dataset].samples.items() if count)

    def index(self, dataset: str, split: str | None = None, columns: Sequence[str] | None = None) -> pa.Table:
        """One row a sample, see `shards.index.INDEX_SCHEMA`; of all splits where `split` is None.

        Raises:
            UnknownNameError: the dataset is not here.
            DataError: its index is missing or corrupt.
        """
        self._check(dataset)
        return read_index(self.store, dataset, split, columns)

    def rejected(self, dataset: str) -> pa.Table:
        """One row a rejected item, see `shards.index.REJECTED_SCHEMA`."""
        self._check(dataset)
        return read_rejected(self.store, dataset)

    def read(self, dataset: str, row: Mapping[str, Any]) -> ShardSample:
        """The sample of an index row; of the row only `shard`, `offset` and `length` are used.

        Raises:
            DataError: the shard is missing or corrupt there.
        """
        return read_sample(self.store, f"{dataset}/{row['shard']}", row["offset"], row["length"])

    def read_coded(self, dataset: str, row: Mapping[str, Any]) -> CodedSample:
        """As `read`, of a depth shard, with the target still as codes: what training reads.

        Raises:
            DataError: the shard is missing or corrupt there, or the sample holds no inverse depth.
        """
        return read_coded(self.store, f"{dataset}/{row['shard']}", row["offset"], row["length"])

    def _check(self, dataset: str) -> None:
        if dataset not in self.manifest.datasets:
            raise UnknownNameError("dataset in these shards", dataset, self.datasets)


def open_shards(url: str | Path) -> Shards:
    """Open the shard folder at a local path or any fsspec URL.

    Raises:
        UsageError: there are no finished shards at the URL, or it must not be read.
        DataError: they are of another schema version, or the manifest is corrupt.
    """
    store = ShardStore.at(url)
    store.check()
    manifest = read_manifest(store)
    if manifest is None:
        fix = "check the path, or build shards there: dpt-bench build-mix6 --raw DIR --out URL"
        what = f"no finished shards here: {MANIFEST} is missing, or lists no dataset yet"
        raise UsageError(what, where=store.url, fix=fix)
    if manifest.schema_version != SCHEMA_VERSION:
        raise DataError(
            f"the shards have schema {manifest.schema_version}, this version reads {SCHEMA_VERSION}",
            where=store.address(MANIFEST),
            fix="build them again into a new folder, or install the version that made them",
        )
    return Shards(store, manifest)
