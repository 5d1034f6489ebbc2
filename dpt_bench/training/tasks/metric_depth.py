"""Metric depth in metres: Eigen's log loss, with which DPT is fine-tuned on NYU and KITTI (its section 4.1)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from dpt_bench.core.errors import UsageError
from dpt_bench.core.kinds import DepthKind
from dpt_bench.loading import Batch
from dpt_bench.losses import log_loss_per_image
from dpt_bench.training.config import Preset
from dpt_bench.training.tasks._contract import Task

FARTHEST = 1000.0
"""Metres; what is farther, the sky first of all, has no depth to learn."""


@dataclass(frozen=True)
class MetricDepthTask:
    """Scored in metres and without any alignment; the mean absolute relative error selects."""

    score_names: tuple[str, ...] = ("absrel", "rmse_m")
    needs_metric: bool = True

    def losses(self, prediction: Tensor, batch: Batch, counts: Tensor | None = None) -> Tensor:  # noqa: ARG002
        depth, known = metres(batch)
        return log_loss_per_image(prediction, depth, known)

    def counts(self, batch: Batch) -> Tensor | None:  # noqa: ARG002
        return None

    def informative(self, batch: Batch) -> Tensor:
        return metres(batch)[1].any(2).any(1)

    def scores(self, prediction: Tensor, batch: Batch) -> Tensor:
        depth, known = metres(batch)
        count = known.sum((1, 2))  # 0 / 0 where nothing is known: NaN
        error = torch.where(known, prediction.double() - depth, 0.0)
        absrel = (error.abs() / depth).sum((1, 2)) / count
        return torch.stack([absrel, (error.square().sum((1, 2)) / count).sqrt()], dim=1)


def metres(batch: Batch) -> tuple[Tensor, Tensor]:
    """Depth, float32 (B, H, W), 1 where it is not known, and where it is."""
    lo, hi = (bound[:, None, None] for bound in batch.span.unbind(1))
    inverse = lo + batch.target * (hi - lo)
    known = batch.valid & (inverse >= 1 / FARTHEST)  # false for NaN too
    return torch.where(known, inverse, 1.0).reciprocal(), known


def build(preset: Preset) -> Task:
    """Raises UsageError where the network does not answer in metres."""
    kind = preset.model.resolved(preset.crop).kind
    if kind is not DepthKind.METRIC_DEPTH:
        raise UsageError(
            f"the network answers with {kind}, and metric depth is trained in metres",
            where=f"model.variant = {preset.model.variant!r}",
            fix="choose dpt-hybrid-nyu or dpt-hybrid-kitti; or set model.spec.kind=metric_depth, "
            "model.spec.invert=true, and model.spec.scale and shift so that they turn the head's output into 1/m",
        )
    return MetricDepthTask()
