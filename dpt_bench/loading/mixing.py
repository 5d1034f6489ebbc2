"""Which dataset each sample of a batch comes from, and where the run stands in each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpt_bench.core.errors import DataError, UnknownNameError, UsageError
from dpt_bench.loading.randomness import Stream


@dataclass(frozen=True)
class Mixture:
    """Draws a dataset for every sample of a global batch, independently, as DPT does (sec. 4.1: "uniformly").

    probabilities: of `datasets`, summing to one. quota: every batch holds its share of each, as MiDaS does (sec. 6:
    B / L of each of L), or one sample more or less where that is no whole number; their places are random.
    """

    datasets: tuple[str, ...]
    probabilities: tuple[float, ...]
    seed: int
    batch_size: int
    quota: bool = False

    def draw(self, step: int) -> NDArray[np.int64]:
        """(batch_size,) numbers of datasets: a pure function of (seed, step) and the mixture."""
        bounds = np.cumsum(self.probabilities)[:-1]
        stream, count = Stream(self.seed, "mix", step), self.batch_size
        if self.quota:  # points at equal distances (systematic sampling), in random order
            return np.searchsorted(bounds, (stream.permutation(count) + stream.uniform(1)) / count, side="right")
        return np.searchsorted(bounds, stream.uniform(count), side="right")


def build_mixture(
    datasets: Sequence[str], weights: Mapping[str, float] | None, *, seed: int, batch_size: int, quota: bool = False
) -> Mixture:
    """The mixture of `datasets` with relative `weights` (all equal when None).

    Raises:
        UsageError: no dataset, or a dataset without a positive weight.
        UnknownNameError: a weight for a dataset that is not there.
    """
    if not datasets:
        raise UsageError("there is no dataset to train on", fix="build shards first: `dpt-bench build-mix6`")
    for name in weights or {}:
        if name not in datasets:
            raise UnknownNameError("dataset", name, datasets)
    values = np.array([1.0 if weights is None else weights.get(name, 0.0) for name in datasets])
    if not (np.isfinite(values) & (values > 0)).all():
        raise UsageError(f"every dataset needs a positive weight, got {dict(zip(datasets, values, strict=True))}")
    return Mixture(tuple(datasets), tuple((values / values.sum()).tolist()), seed, batch_size, quota)


@dataclass(frozen=True)
class Position:
    """Where a run stands: the next step, and how many samples of each dataset were drawn before it (all ranks)."""

    step: int
    counts: tuple[int, ...]

    def slots(self, draws: NDArray[np.int64]) -> list[Slot]:
        """The samples of this step's global batch, in order."""
        counts = list(self.counts)
        slots = []
        for dataset in draws.tolist():
            slots.append(Slot(dataset, counts[dataset]))
            counts[dataset] += 1
        return slots

    def after(self, draws: NDArray[np.int64]) -> Position:
        """The position behind this step."""
        drawn = np.bincount(draws, minlength=len(self.counts))
        return Position(self.step + 1, tuple(np.add(self.counts, drawn).tolist()))


@dataclass(frozen=True)
class Slot:
    """One place of a batch: sample number `count` (over all epochs) of dataset number `dataset`."""

    dataset: int
    count: int


def position_state(position: Position, mixture: Mixture) -> dict[str, Any]:
    """JSON-able form of a position."""
    counts = dict(zip(mixture.datasets, position.counts, strict=True))
    return {"step": position.step, "seed": mixture.seed, "counts": counts}


def restored_position(state: Mapping[str, Any], mixture: Mixture) -> Position:
    """The position that `position_state` described; a dataset new to the mixture starts from its beginning.

    Raises:
        DataError: the state is of another seed, so its order is not this run's, or it is no such state.
    """
    try:
        step, seed, counts = int(state["step"]), int(state["seed"]), dict(state["counts"])
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"not a loader's state: {error!r}", fix="resume from another checkpoint") from error
    if seed != mixture.seed:
        raise DataError(
            f"the loader's state was saved with seed {seed}, but this run's seed is {mixture.seed}",
            fix=f"set the seed back to {seed}, or start a new run",
        )
    return Position(step, tuple(int(counts.get(name, 0)) for name in mixture.datasets))
