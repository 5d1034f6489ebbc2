"""Where a loader's samples come from, and what happens to those that cannot be read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dpt_bench.core.errors import DataError, SampleError
from dpt_bench.core.kinds import DepthKind
from dpt_bench.shards.codec import CodedSample

MOST_BROKEN_IN_A_ROW = 20
COLUMNS = ("key", "shard", "offset", "length", "kind", "lo", "hi")
METRIC = [DepthKind.METRIC_DEPTH.value, DepthKind.METRIC_DISPARITY.value]


class Readable(Protocol):
    """What loading needs of `dpt_bench.shards.Shards`."""

    @property
    def datasets(self) -> tuple[str, ...]: ...

    def index(self, dataset: str, split: str | None = None, columns: tuple[str, ...] | None = None) -> pa.Table: ...

    def read_coded(self, dataset: str, row: dict[str, Any]) -> CodedSample: ...


@dataclass(frozen=True)
class Intact:
    """A sample that was read; its name with that of its dataset; `lo` and `hi`, see `Batch`."""

    key: str
    sample: CodedSample
    span: tuple[float, float]


@dataclass(frozen=True)
class Broken:
    """A sample that could not be read; in training the next one of its dataset takes its place."""

    dataset: str
    key: str
    message: str


@dataclass(frozen=True)
class Source:
    """The samples of one split of one dataset. Cheap to send to a worker.

    keys: (N,) names. shard_names, shard_of_row: in which of the shards each lies; offset, length: and where in it.
    span: (N, 2) `lo` and `hi`, see `Batch`, NaN where they are not in 1/m.
    """

    dataset: str
    shards: Readable
    keys: pa.StringArray
    shard_names: list[str]
    shard_of_row: NDArray[np.int64]
    offset: NDArray[np.int64]
    length: NDArray[np.int64]
    span: NDArray[np.float64]

    @property
    def size(self) -> int:
        return len(self.keys)

    @property
    def is_metric(self) -> bool:
        """Whether all targets are in 1/m."""
        return not bool(np.isnan(self.span).any())

    def row(self, number: int) -> dict[str, Any]:
        """What `Shards.read` needs."""
        shard = self.shard_names[self.shard_of_row[number]]
        return {"shard": shard, "offset": int(self.offset[number]), "length": int(self.length[number])}


def open_source(shards: Readable, dataset: str, split: str) -> Source:
    """The samples of `split`, in the order of the index."""
    table = shards.index(dataset, split, COLUMNS).combine_chunks()
    column = {name: table[name].combine_chunks() for name in COLUMNS}
    shard = column["shard"].dictionary_encode()
    shard_of_row, offset, length = (
        np.asarray(numbers, dtype=np.int64) for numbers in (shard.indices, column["offset"], column["length"])
    )
    span = np.stack([column[name].to_numpy(zero_copy_only=False).astype(np.float64) for name in ("lo", "hi")], axis=1)
    span[~np.isin(np.asarray(column["kind"].to_pylist(), dtype=str), METRIC)] = np.nan
    return Source(dataset, shards, column["key"], shard.dictionary.to_pylist(), shard_of_row, offset, length, span)


def try_to_read(source: Source, number: int) -> Intact | Broken:
    """The sample of a row, or what is wrong with it."""
    try:
        sample = source.shards.read_coded(source.dataset, source.row(number))
    except (DataError, SampleError, OSError) as error:
        return Broken(source.dataset, str(source.keys[number]), f"{type(error).__name__}: {error}")
    lo, hi = source.span[number]
    return Intact(f"{source.dataset}/{sample.key}", sample, (float(lo), float(hi)))


def read_first_intact(source: Source, numbers: Iterator[int]) -> tuple[Intact, list[Broken]]:
    """The sample of the first row of `numbers` that can be read, and the broken ones before it.

    Raises:
        DataError: too many in a row are broken.
    """
    broken: list[Broken] = []
    for number in islice(numbers, MOST_BROKEN_IN_A_ROW):
        found = try_to_read(source, number)
        if isinstance(found, Intact):
            return found, broken
        broken.append(found)
    raise DataError(
        f"{len(broken)} samples of {source.dataset!r} in a row cannot be read; the last: {broken[-1].message}",
        where=broken[-1].key,
        fix="run `dpt-bench verify` on the shards",
    )
