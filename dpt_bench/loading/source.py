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
from dpt_bench.loading.batch import Broken
from dpt_bench.shards import ShardSample

MOST_BROKEN_IN_A_ROW = 20
COLUMNS = ("key", "shard", "offset", "length")


class Readable(Protocol):
    """What loading needs of `dpt_bench.shards.Shards`."""

    @property
    def datasets(self) -> tuple[str, ...]: ...

    def index(self, dataset: str, split: str | None = None, columns: tuple[str, ...] | None = None) -> pa.Table: ...

    def read(self, dataset: str, row: dict[str, Any]) -> ShardSample: ...


@dataclass(frozen=True)
class Source:
    """The samples of one split of one dataset. Cheap to send to a worker."""

    dataset: str
    shards: Readable
    table: pa.Table

    @property
    def size(self) -> int:
        return int(self.table.num_rows)

    def row(self, number: int) -> dict[str, Any]:
        row: dict[str, Any] = self.table.slice(number, 1).to_pylist()[0]
        return row

    def shard_of_row(self) -> NDArray[np.int64]:
        """(N,) number of the shard of each row."""
        column = self.table["shard"].combine_chunks().dictionary_encode()
        return np.asarray(column.indices, dtype=np.int64)


def open_source(shards: Readable, dataset: str, split: str) -> Source:
    """The samples of `split`, in the order of the index."""
    return Source(dataset, shards, shards.index(dataset, split, COLUMNS).combine_chunks())


def try_to_read(source: Source, number: int) -> ShardSample | Broken:
    """The sample of a row, or what is wrong with it."""
    row = source.row(number)
    try:
        sample = source.shards.read(source.dataset, row)
    except (DataError, SampleError, OSError) as error:
        return Broken(source.dataset, row["key"], f"{type(error).__name__}: {error}")
    if sample.inverse_depth is None:
        return Broken(source.dataset, row["key"], "the sample holds no inverse depth")
    return sample


def read_first_intact(source: Source, numbers: Iterator[int]) -> tuple[ShardSample, list[Broken]]:
    """The sample of the first row of `numbers` that can be read, and the broken ones before it.

    Raises:
        DataError: too many in a row are broken.
    """
    broken: list[Broken] = []
    for number in islice(numbers, MOST_BROKEN_IN_A_ROW):
        found = try_to_read(source, number)
        if isinstance(found, ShardSample):
            return found, broken
        broken.append(found)
    raise DataError(
        f"{len(broken)} samples of {source.dataset!r} in a row cannot be read; the last: {broken[-1].message}",
        where=broken[-1].key,
        fix="run `dpt-bench verify` on the shards",
    )
