"""The exponential moving average of a network's weights."""

from __future__ import annotations

import copy

import torch

from dpt_bench.model.dpt import DPT


class MovingAverage:
    """A copy of the network that follows it: average = d * average + (1 - d) * weights.

    d grows from 0.1 to `decay` as (1 + t) / (10 + t), so that a short run does not average its initialisation.
    """

    def __init__(self, model: DPT, decay: float) -> None:
        self.model = copy.deepcopy(model).eval().requires_grad_(requires_grad=False)
        self._decay = decay

    @torch.no_grad()
    def update(self, model: DPT, step: int) -> None:
        """Follow the weights after `step`, counted from 0."""
        decay = min(self._decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(list(self.model.parameters()), list(model.parameters()), 1.0 - decay)
        for mine, theirs in zip(self.model.buffers(), model.buffers(), strict=True):
            mine.copy_(theirs)
