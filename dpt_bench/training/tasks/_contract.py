"""The contract of a task. A module of this package holds `build(preset) -> Task`; its file name is the task's name."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from dpt_bench.core.catalog import load_plugin
from dpt_bench.loading import Batch
from dpt_bench.training.config import Preset


class Task(Protocol):
    """What a network's output is trained for and selected by."""

    @property
    def score_names(self) -> tuple[str, ...]:
        """What `scores` measures; lower is better, and the first one selects the best checkpoint."""
        ...

    @property
    def needs_metric(self) -> bool:
        """Whether the targets must be in 1/m: `Batch.span` known for every sample."""
        ...

    def losses(self, prediction: Tensor, batch: Batch, counts: Tensor | None = None) -> Tensor:
        """(B,) float32 or wider, to be averaged; zero for an image that says nothing.

        counts: for every image, the mean of what `counts` gives over all images of the step that its loss is averaged
            with, on whatever process: (B, K). None where `counts` gives None.
        """
        ...

    def counts(self, batch: Batch) -> Tensor | None:
        """(B, K) float64 of the images alone, for a loss that divides by sums over a step; None for any other loss."""
        ...

    def informative(self, batch: Batch) -> Tensor:
        """(B,) bool: the image says something."""
        ...

    def scores(self, prediction: Tensor, batch: Batch) -> Tensor:
        """(B, number of score names) float64 for validation; NaN for an image that cannot be scored."""
        ...


def load_task(preset: Preset) -> Task:
    """The task that a preset names.

    Raises:
        UnknownNameError: no task has the name.
    """
    task: Task = load_plugin("dpt_bench.training.tasks", preset.task, kind="task").build(preset)
    return task
