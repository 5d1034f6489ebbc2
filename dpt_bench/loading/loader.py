"""The training loader: the batch of a step is a pure function of (seed, step, mixture, options)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from torch.utils.data import IterableDataset

from dpt_bench.core.errors import DataError, DptBenchError, UnknownNameError, UsageError
from dpt_bench.loading.augment import AugmentOptions, training_view
from dpt_bench.loading.batch import PackedBatch, Tray
from dpt_bench.loading.mixing import Mixture, Position, Slot, build_mixture, position_state, restored_position
from dpt_bench.loading.order import Order
from dpt_bench.loading.randomness import Stream
from dpt_bench.loading.source import Readable, Source, open_source, read_first_intact
from dpt_bench.loading.workers import WorkerOptions, batches, share_of_worker
from dpt_bench.shards import open_shards

FEWEST_SEEN = 1000


@dataclass(frozen=True)
class LoaderOptions:
    """What a loader delivers.

    batch_size: of a step, over all ranks; rank r of `num_ranks` gets the r-th of equal slices.
    datasets: None for all. weights: relative shares, None for equal ones (the paper). quota: see `Mixture`.
    window_shards: of so many shards at a time the samples are shuffled together.
    max_broken: the run fails when a larger share of the samples cannot be read (of the first thousand taken together).
    """

    batch_size: int
    seed: int = 0
    split: str = "train"
    datasets: tuple[str, ...] | None = None
    weights: Mapping[str, float] | None = None
    quota: bool = False
    augment: AugmentOptions = field(default_factory=AugmentOptions)
    window_shards: int = 8
    max_broken: float = 0.01
    rank: int = 0
    num_ranks: int = 1
    workers: WorkerOptions = field(default_factory=WorkerOptions)


class Loader:
    """Endless batches, from wherever the state says.

    The order does not depend on the number of workers or ranks; with other numbers a run goes on at the same sample.
    `state_dict` describes the batches that were handed out, not those that workers have prepared ahead.
    """

    def __init__(self, shards: Readable | str | Path, options: LoaderOptions) -> None:
        """Open the indexes.

        Raises:
            UsageError: no shards there, or options that do not fit them.
            DataError: an index is missing or empty.
        """
        if options.batch_size < 1 or options.batch_size % options.num_ranks:
            raise UsageError(
                f"a batch of {options.batch_size} cannot be shared by {options.num_ranks} processes equally",
                fix="choose a batch size that is a multiple of the number of processes",
            )
        opened = open_shards(shards) if isinstance(shards, (str, Path)) else shards
        names = options.datasets or opened.datasets
        for name in names:
            if name not in opened.datasets:
                raise UnknownNameError("dataset in these shards", name, opened.datasets)
        self.options = options
        self.mixture = build_mixture(
            names, options.weights, seed=options.seed, batch_size=options.batch_size, quota=options.quota
        )
        self.sizes: dict[str, int] = {}
        self.broken: dict[str, int] = dict.fromkeys(names, 0)
        self._sources = tuple(open_source(opened, name, options.split) for name in names)
        for source in self._sources:
            self.sizes[source.dataset] = source.size
        self._position = Position(0, (0,) * len(names))
        self._seen = 0
        self._steps = _Steps(self._sources, self.mixture, options, self._position)  # also checks that none is empty

    @property
    def step(self) -> int:
        """The step whose batch comes next."""
        return self._position.step

    @property
    def metric(self) -> tuple[str, ...]:
        """The datasets whose targets are known in 1/m."""
        return tuple(source.dataset for source in self._sources if source.is_metric)

    def epochs(self) -> dict[str, float]:
        """How often each dataset was seen so far."""
        return {
            name: drawn / self.sizes[name]
            for name, drawn in zip(self.mixture.datasets, self._position.counts, strict=True)
        }

    def state_dict(self) -> dict[str, Any]:
        """JSON-able position."""
        return position_state(self._position, self.mixture)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a position; takes effect at the next `iter`.

        Raises:
            DataError: the state is of a run with another seed, or no state at all.
        """
        self._position = restored_position(state, self.mixture)

    def __iter__(self) -> Iterator[PackedBatch]:
        steps = _Steps(self._sources, self.mixture, self.options, self._position)
        for batch in batches(steps, self.options.workers):
            self._note(batch)
            self._position = self._position.after(self.mixture.draw(self._position.step))
            yield batch

    def _note(self, batch: PackedBatch) -> None:
        self._seen += len(batch)
        for broken in batch.broken:
            self.broken[broken.dataset] += 1
        total = sum(self.broken.values())
        if total > self.options.max_broken * max(self._seen, FEWEST_SEEN):
            raise DataError(
                f"{total} of {self._seen} samples could not be read; the last: {batch.broken[-1].message}",
                where=f"{batch.broken[-1].dataset}/{batch.broken[-1].key}",
                fix="run `dpt-bench verify` on the shards, or raise data.max_broken",
            )


class _Steps(IterableDataset[PackedBatch | DptBenchError]):
    """Batches from a position on; worker k of W prepares every W-th. An error is handed over as an item."""

    def __init__(self, sources: tuple[Source, ...], mixture: Mixture, options: LoaderOptions, start: Position) -> None:
        self._sources, self._mixture, self._options, self._start = sources, mixture, options, start
        self._orders = tuple(
            Order(source.dataset, options.seed, source.shard_of_row, options.window_shards) for source in sources
        )

    def __iter__(self) -> Iterator[PackedBatch | DptBenchError]:
        worker, num_workers = share_of_worker()
        position = self._start
        for turn in count():
            draws = self._mixture.draw(position.step)
            if turn % num_workers == worker:
                try:
                    yield self._batch(self._mine(position.slots(draws)))
                except DptBenchError as error:
                    yield error
                    return
            position = position.after(draws)

    def _mine(self, slots: list[Slot]) -> list[Slot]:
        share = len(slots) // self._options.num_ranks
        return slots[self._options.rank * share : (self._options.rank + 1) * share]

    def _batch(self, slots: list[Slot]) -> PackedBatch:
        options = self._options
        tray, broken = Tray(len(slots), options.augment.size), []
        for slot in slots:
            source, order = self._sources[slot.dataset], self._orders[slot.dataset]
            epoch, place = divmod(slot.count, order.size)
            successors = (epoch * order.size + (place + later) % order.size for later in range(order.size))
            found, skipped = read_first_intact(source, (order.row(number) for number in successors))
            stream = Stream(options.seed, "augment", source.dataset, epoch, place)
            tray.put(training_view(found.sample, options.augment, stream), slot.dataset, found)
            broken += skipped
        return tray.batch(self._mixture.datasets, broken)
