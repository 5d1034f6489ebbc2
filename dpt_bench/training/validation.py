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
    """by_dataset: name of a score -> dataset -> mean over its images, lower is better; the first score selects."""

    by_dataset: dict[str, dict[str, float]]

    def mean(self, name: str | None = None) -> float:
        """Over datasets, each counting once; of the score that selects, unless another is named."""
        values = self.by_dataset[name or next(iter(self.by_dataset))].values()
        return sum(values) / len(values) if values else float("nan")


def validate(
    predict: Callable[[Batch], Tensor], loader: ValidationLoader, task: Task, world: World, progress: Progress
) -> Scores:
    """Score every sample of `loader` once, over all ranks; images that cannot be scored are left out of the means."""
    names = list(loader.sizes)
    sums, counts = torch.zeros(2, len(names), len(task.score_names), dtype=torch.float64)
    progress.start("validation", sum(loader.sizes.values()))
    for batch in loader:
        on_device = batch.to(world.device)
        scores = task.scores(predict(on_device), on_device).cpu()
        counted, dataset = ~scores.isnan(), torch.from_numpy(batch.dataset)
        sums.index_add_(0, dataset, scores.nan_to_num())
        counts.index_add_(0, dataset, counted.double())
        progress.advance("validation", len(batch) * world.size)
    progress.finish("validation")
    totals = world.sum(torch.stack([sums, counts])).tolist()
    return Scores(
        {
            score: {
                name: totals[0][row][column] / totals[1][row][column]
                for row, name in enumerate(names)
                if totals[1][row][column]
            }
            for column, score in enumerate(task.score_names)
        }
    )
