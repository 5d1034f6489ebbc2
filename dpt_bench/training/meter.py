"""Sums over the steps since the last log line: losses by dataset, speed, and how long the network waited for data."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Sequence
from typing import Any

import torch

from dpt_bench.training.distributed import World
from dpt_bench.training.learner import Outcome


class Meter:
    """Collects the outcomes of steps; `facts` sums them over ranks and starts again."""

    def __init__(self, names: Sequence[str], world: World) -> None:
        self._names, self._world = names, world
        self._begin()

    def add(self, outcome: Outcome, waited_s: float) -> None:
        """One step, that began with waiting `waited_s` for its batch."""
        self._sums.index_add_(0, outcome.dataset, outcome.losses.double())
        self._counts += torch.bincount(outcome.dataset, minlength=len(self._names))
        self._norms.append(outcome.gradient_norm)
        self._waited_s += waited_s

    def facts(self) -> dict[str, Any]:
        """Means over images since the last call, over all ranks; every rank must call it."""
        seconds = time.monotonic() - self._began
        sums, counts = self._world.sum(torch.stack([self._sums, self._counts])).tolist()
        by_dataset = {name: s / n for name, s, n in zip(self._names, sums, counts, strict=True) if n}
        facts = {
            "loss": sum(sums) / max(1.0, sum(counts)),
            "loss_by_dataset": by_dataset,
            "gradient_norm": sum(self._norms) / max(1, len(self._norms)),
            "images_per_second": sum(counts) / seconds,
            "data_wait_share": self._waited_s / seconds,
            "memory_gib": _memory_gib(self._world.device),
        }
        self._begin()
        return facts

    def skip(self, seconds: float) -> None:
        """Leave out a time in which nothing was learnt, such as a validation."""
        self._began += seconds

    def _begin(self) -> None:
        self._sums = torch.zeros(len(self._names), dtype=torch.float64)
        self._counts = torch.zeros(len(self._names), dtype=torch.float64)
        self._norms: list[float] = []
        self._waited_s = 0.0
        self._began = time.monotonic()


class Clock:
    """Time to completion, from what steps and validations took in this process, without the first, which compile."""

    WARM_UP = 3

    def __init__(self) -> None:
        self._steps = 0
        self._steps_s = 0.0
        self._validation_s = 0.0

    def step(self, seconds: float) -> None:
        """A step took so long, waiting for its batch included."""
        self._steps += 1
        if self._steps > self.WARM_UP:
            self._steps_s += seconds

    def validation(self, seconds: float) -> None:
        """The latest validation took so long."""
        self._validation_s = seconds

    def left_s(self, steps: int, validations: int) -> float | None:
        """Seconds that so many steps and validations will take; None until it can be known."""
        measured = self._steps - self.WARM_UP
        return None if measured < 1 else steps * self._steps_s / measured + validations * self._validation_s


def _memory_gib(device: torch.device) -> float:
    """The most that was in use: of the GPU, or of this process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**30
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30
