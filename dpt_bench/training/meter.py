"""Sums over the steps since the last log line: losses by dataset, speed, and how long the network waited for data."""

from __future__ import annotations

import resource
import sys
import time
from collections import defaultdict, deque
from typing import Any

import torch

from dpt_bench.training.distributed import World
from dpt_bench.training.learner import Outcome


class Meter:
    """Collects the outcomes of steps; `facts` sums them over ranks and starts again.

    names: of all datasets of the run. machine_share: of all devices' measured peak, at one image a second.
    """

    def __init__(self, names: tuple[str, ...], world: World, machine_share: float) -> None:
        self._names, self._world, self._machine_share = names, world, machine_share
        self._begin()

    def add(self, outcome: Outcome, waited_s: float) -> None:
        """One step, that began with waiting `waited_s` for its batch."""
        for number, loss in zip(outcome.dataset.tolist(), outcome.losses.tolist(), strict=True):
            self._losses[outcome.names[number]].append(loss)
        self._norms.append(outcome.gradient_norm)
        self._waited_s += waited_s

    def facts(self) -> dict[str, Any]:
        """Means over images since the last call, over all ranks; every rank must call it."""
        seconds = time.monotonic() - self._began
        losses = [self._losses[name] for name in self._names]
        mine = torch.tensor([[sum(values), len(values)] for values in losses], dtype=torch.float64)
        sums, counts = self._world.sum(mine).T.tolist()
        speed = sum(counts) / seconds
        facts = {
            "loss": sum(sums) / max(1.0, sum(counts)),
            "loss_by_dataset": {name: s / n for name, s, n in zip(self._names, sums, counts, strict=True) if n},
            "gradient_norm": sum(self._norms) / max(1, len(self._norms)),
            "images_per_second": speed,
            "mfu": speed * self._machine_share,
            "data_wait_share": self._waited_s / seconds,
            "memory_gib": _memory_gib(self._world.device),
        }
        self._begin()
        return facts

    def skip(self, seconds: float) -> None:
        """Leave out a time in which nothing was learnt, such as a validation."""
        self._began += seconds

    def _begin(self) -> None:
        self._losses: dict[str, list[float]] = defaultdict(list)
        self._norms: list[float] = []
        self._waited_s = 0.0
        self._began = time.monotonic()


class Clock:
    """Time to completion, from what steps and validations took in this process, without the first, which compile."""

    WARM_UP = 3
    WINDOW = 500
    """Speed is that of the latest steps: other work may come and go on the machine."""

    def __init__(self) -> None:
        self._steps = 0
        self._recent: deque[float] = deque(maxlen=self.WINDOW)
        self._validation_s = 0.0

    def step(self, seconds: float) -> None:
        """A step took so long, waiting for its batch included."""
        self._steps += 1
        if self._steps > self.WARM_UP:
            self._recent.append(seconds)

    def validation(self, seconds: float) -> None:
        """The latest validation took so long."""
        self._validation_s = seconds

    def left_s(self, steps: int, validations: int) -> float | None:
        """Seconds that so many steps and validations will take; None until it can be known."""
        if not self._recent:
            return None
        return steps * sum(self._recent) / len(self._recent) + validations * self._validation_s


def _memory_gib(device: torch.device) -> float:
    """The most that was in use: of the GPU, or of this process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**30
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30
