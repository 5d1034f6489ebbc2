"""Naive mixing: all images of a step count the same (Ranftl et al., TPAMI 2022, section 5)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from dpt_bench.loading import Batch
from dpt_bench.training.passes import Passes


class Uniform:
    """The mean over the images of the global batch; with datasets drawn uniformly, equal parts of each."""

    def __init__(self, passes: Passes) -> None:
        self._passes = passes

    def backward(self, batch: Batch, step: int) -> Tensor:  # noqa: ARG002
        """As ranks hold equally many images, the mean of their means is that of the global batch."""
        world = self._passes.world
        weights = torch.full((len(batch),), 1.0 / len(batch), device=world.device)
        counts = self._passes.mean_counts(batch, weights.double() / world.size, torch.zeros_like(batch.dataset), 1)
        return self._passes.weighted_backward(batch, weights, counts)

    def facts(self) -> dict[str, Any]:
        return {}

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Nothing is remembered."""
