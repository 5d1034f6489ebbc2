"""Relative depth: the scale- and shift-invariant losses of MiDaS, selected by the error in normalised disparity."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from dpt_bench.loading import Batch
from dpt_bench.losses import (
    DepthLossOptions,
    align_least_squares,
    depth_loss_per_image,
    informative_images,
    loss_counts,
)
from dpt_bench.training.config import Preset
from dpt_bench.training.tasks._contract import Task

FLOOR = 0.05
"""Of the denominator of the relative error: a twentieth of the nearest disparity, or twenty times the nearest depth.
Normalised disparity is zero at the farthest pixel, where a relative error has no meaning."""


@dataclass(frozen=True)
class DepthTask:
    """Scored in normalised disparity after the best affine alignment (least squares) of each image.

    rmse_disparity, the root mean square error, selects: the ablations of MiDaS validate with it (Ranftl et al., TPAMI
    2022, sec. 7). absrel_disparity_floor_0.05 is the mean of |d - d*| / max(d*, 0.05); the ablations of DPT report a
    relative error after affine alignment (sec. 4.3) without saying in which space, or what bounds its denominator.
    """

    loss: DepthLossOptions
    needs_metric: bool = False
    score_names: tuple[str, ...] = ("rmse_disparity", f"absrel_disparity_floor_{FLOOR}")

    def losses(self, prediction: Tensor, batch: Batch, counts: Tensor | None = None) -> Tensor:
        return depth_loss_per_image(prediction, batch.target, batch.valid, self.loss, counts)

    def counts(self, batch: Batch) -> Tensor | None:
        return loss_counts(batch.target, batch.valid, self.loss) if self.loss.reduction == "batch" else None

    def informative(self, batch: Batch) -> Tensor:
        return informative_images(batch.target, batch.valid)

    def scores(self, prediction: Tensor, batch: Batch) -> Tensor:
        target = batch.target.double()
        aligned = align_least_squares(prediction.double(), target, batch.valid)
        error = torch.where(batch.valid, aligned - target, 0.0)
        count = batch.valid.sum((1, 2))  # 0 / 0 where nothing is valid: NaN
        rmse = (error.square().sum((1, 2)) / count).sqrt()
        absrel = (error.abs() / target.clamp(min=FLOOR)).sum((1, 2)) / count
        return torch.stack([rmse, absrel], dim=1)


def build(preset: Preset) -> Task:
    return DepthTask(preset.loss)
