"""The order in which a dataset's samples are seen: a permutation of each epoch that keeps reads within a few shards."""

from __future__ import annotations

from bisect import bisect_right
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from dpt_bench.core.errors import DataError
from dpt_bench.loading.randomness import Stream

WINDOWS_KEPT = 2

Key = TypeVar("Key")
Value = TypeVar("Value")


class Order:
    """Running count of a dataset's samples -> row of its index; every row once an epoch.

    An epoch permutes the shards, opens them `window_shards` at a time, and permutes the samples of such a window. All
    of it is a pure function of (seed, dataset, epoch), and a window is computed when it is reached: any position is
    found in milliseconds.

    Args:
        dataset: its name. seed: of the run.
        shard_of_row: (N,) the shard's number of each row.
        window_shards: how many shards are open at a time.
    """

    def __init__(self, dataset: str, seed: int, shard_of_row: NDArray[np.int64], window_shards: int) -> None:
        if not len(shard_of_row):
            raise DataError(f"dataset {dataset!r} has no samples to draw", fix="build its shards again")
        self.size = len(shard_of_row)
        self._name = (seed, "order", dataset)
        self._window_shards = window_shards
        by_shard = np.argsort(shard_of_row, kind="stable")
        cuts = np.flatnonzero(np.diff(shard_of_row[by_shard])) + 1
        self._shards = np.split(by_shard.astype(np.int64), cuts)
        self._epochs: dict[int, tuple[NDArray[np.int64], list[int]]] = {}
        self._windows: dict[tuple[int, int], NDArray[np.int64]] = {}

    def row(self, count: int) -> int:
        """The row of the dataset's sample number `count`, counted from 0 over all epochs."""
        epoch, place = divmod(count, self.size)
        _, starts = self._epoch(epoch)
        window = bisect_right(starts, place) - 1
        return int(self._window(epoch, window)[place - starts[window]])

    def _epoch(self, epoch: int) -> tuple[NDArray[np.int64], list[int]]:
        """The order of the shards, and the place at which each window starts."""
        if epoch not in self._epochs:
            shards = Stream(*self._name, epoch).permutation(len(self._shards))
            sizes = np.array([len(self._shards[shard]) for shard in shards])
            ends = np.cumsum(sizes)[self._window_shards - 1 :: self._window_shards]
            starts = [0, *ends[ends < self.size].tolist()]
            _remember(self._epochs, epoch, (shards, starts))
        return self._epochs[epoch]

    def _window(self, epoch: int, window: int) -> NDArray[np.int64]:
        if (epoch, window) not in self._windows:
            shards, _ = self._epoch(epoch)
            first = window * self._window_shards
            rows = np.concatenate([self._shards[shard] for shard in shards[first : first + self._window_shards]])
            shuffled = rows[Stream(*self._name, epoch, window).permutation(len(rows))]
            _remember(self._windows, (epoch, window), shuffled)
        return self._windows[epoch, window]


def _remember(kept: dict[Key, Value], key: Key, value: Value) -> None:
    while len(kept) >= WINDOWS_KEPT:
        kept.pop(next(iter(kept)))
    kept[key] = value
