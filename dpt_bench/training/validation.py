"""Scores on held-out splits, by dataset; their mean selects the best checkpoint."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from dpt_bench.core.progress import Progress
from dpt_bench.loading import Batch, ValidationLoader
from dpt_bench.training.distributed import World
from dpt_bench.training.tasks._contract import Task


@dataclass(frozen=True)
class Scores:
    """by_dataset: mean over its images, lower is better; mean: over datasets, each counting once."""

    by_dataset: dict[str, float]

    @property
    def mean(self) -> float:
        return sum(self.by_dataset.values()) / len(self.by_dataset)


def validate(
    predict: Callable[[Batch], Tensor], loader: ValidationLoader, task: Task, world: World, progress: Progress
) -> Scores:
    """Score every sample of `loader` once, over all ranks; images that cannot be scored are left out of the means."""
    names = list(loader.sizes)
    totals = torch.zeros(2, len(names), dtype=torch.float64)
    progress.start("validation", sum(loader.sizes.values()))
    for batch in loader:
        on_device = batch.to(world.device)
        scores = task.scores(predict(on_device), on_device).cpu()
        counted = ~scores.isnan()
        totals[0].index_add_(0, batch.dataset[counted], scores[counted])
        totals[1].index_add_(0, batch.dataset[counted], torch.ones(int(counted.sum()), dtype=torch.float64))
        progress.advance("validation", len(batch) * world.size)
    progress.finish("validation")
    sums, counts = world.sum(totals).tolist()
    return Scores({name: s / n for name, s, n in zip(names, sums, counts, strict=True) if n})
