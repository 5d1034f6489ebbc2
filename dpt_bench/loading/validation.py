"""The validation loader: every sample of a split once, in a fixed order, cut at its centre."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from torch.utils.data import IterableDataset

from dpt_bench.core.errors import DptBenchError
from dpt_bench.loading.augment import centre_view
from dpt_bench.loading.batch import PackedBatch, Tray
from dpt_bench.loading.source import Broken, Readable, Source, open_source, try_to_read
from dpt_bench.loading.workers import WorkerOptions, batches, share_of_worker
from dpt_bench.shards import open_shards


@dataclass(frozen=True)
class ValidationOptions:
    """What validation looks at.

    size: side of the square in pixels. max_images: of each dataset, spread over its index; None for all.
    Rank r of `num_ranks` gets every num_ranks-th sample from the r-th on: no sample is scored twice.
    """

    size: int
    split: str = "val"
    batch_size: int = 8
    datasets: tuple[str, ...] | None = None
    max_images: int | None = None
    rank: int = 0
    num_ranks: int = 1
    workers: WorkerOptions = field(default_factory=WorkerOptions)


class ValidationLoader:
    """Iterating again gives the same batches again; the last one of a rank may be smaller, or there may be none.

    Datasets without the split are left out; `sizes` says which have it, and how many of their samples are looked at.
    What cannot be read is left out too, and named in `PackedBatch.broken`.
    """

    def __init__(self, shards: Readable | str | Path, options: ValidationOptions) -> None:
        """Open the indexes.

        Raises:
            UsageError: no shards there.
            DataError: an index is missing.
        """
        opened = open_shards(shards) if isinstance(shards, (str, Path)) else shards
        self.options = options
        sources = (open_source(opened, name, options.split) for name in options.datasets or opened.datasets)
        self._sources = tuple(source for source in sources if source.size)
        chosen = [_spread(source.size, options.max_images) for source in self._sources]
        self.sizes = {source.dataset: len(rows) for source, rows in zip(self._sources, chosen, strict=True)}
        self._items = [(number, row) for number, rows in enumerate(chosen) for row in rows]

    def __iter__(self) -> Iterator[PackedBatch]:
        mine = self._items[self.options.rank :: self.options.num_ranks]
        size = self.options.batch_size
        groups = [mine[start : start + size] for start in range(0, len(mine), size)]
        return batches(_Groups(self._sources, groups, self.options.size), self.options.workers)


class _Groups(IterableDataset[PackedBatch | DptBenchError]):
    def __init__(self, sources: tuple[Source, ...], groups: list[list[tuple[int, int]]], size: int) -> None:
        self._sources, self._groups, self._size = sources, groups, size

    def __iter__(self) -> Iterator[PackedBatch | DptBenchError]:
        worker, num_workers = share_of_worker()
        for group in self._groups[worker::num_workers]:
            batch = self._batch(group)
            if batch is not None:
                yield batch

    def _batch(self, group: list[tuple[int, int]]) -> PackedBatch | None:
        """The group's intact samples; a replacement for a broken one would be another measurement."""
        tray, broken = Tray(len(group), self._size), []
        for number, row in group:
            found = try_to_read(self._sources[number], row)
            if isinstance(found, Broken):
                broken.append(found)
            else:
                tray.put(centre_view(found.sample, self._size), number, found)
        return None if len(broken) == len(group) else tray.batch(tuple(s.dataset for s in self._sources), broken)


def _spread(size: int, most: int | None) -> list[int]:
    if most is None or most >= size:
        return list(range(size))
    rows: list[int] = (np.arange(most) * size // most).tolist()
    return rows
