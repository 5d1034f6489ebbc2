"""Relative depth: the scale- and shift-invariant losses of MiDaS, selected by the error in normalised disparity."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from dpt_bench.loading import Batch
from dpt_bench.losses import DepthLossOptions, align_least_squares, depth_loss_per_image
from dpt_bench.training.config import Preset
from dpt_bench.training.tasks._contract import Task


@dataclass(frozen=True)
class DepthTask:
    """Selected by the root mean square error in normalised disparity after the best affine alignment of each image.

    That is what the ablations of MiDaS validate with (Ranftl et al., TPAMI 2022, sec. 7).
    """

    loss: DepthLossOptions
    score_name: str = "rmse_disparity"

    def losses(self, prediction: Tensor, batch: Batch) -> Tensor:
        return depth_loss_per_image(prediction, batch.target, batch.valid, self.loss)

    def scores(self, prediction: Tensor, batch: Batch) -> Tensor:
        target = batch.target.double()
        aligned = align_least_squares(prediction.double(), target, batch.valid)
        squares = torch.where(batch.valid, (aligned - target).square(), 0.0).sum((1, 2))
        return (squares / batch.valid.sum((1, 2))).sqrt()  # 0 / 0 where nothing is valid: NaN


def build(preset: Preset) -> Task:
    return DepthTask(preset.loss)
