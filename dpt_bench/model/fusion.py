"""Fusion: RefineNet-style blocks that join a finer map with what comes from below and double it (DPT, figure 1).

What a convolution returns is changed in place: no gradient needs it, and new memory for each large map costs a CPU as
much as some of the convolutions.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn


class Fusion(nn.Module):
    """Four fusion blocks, coarse to fine; maps at 1/4, 1/8, 1/16, 1/32 become one at 1/2, by way of one at 1/4."""

    def __init__(self, features: int, *, batch_norm: bool) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            FusionBlock(features, batch_norm=batch_norm, takes_skip=stage < 3) for stage in range(4)
        )

    def forward(self, maps: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """maps: fine to coarse, each (B, features, h, w). The last block's output, and the one's before it."""
        eighth = self.blocks[2](self.blocks[3](maps[3]), maps[2])
        quarter: Tensor = self.blocks[1](eighth, maps[1])
        half: Tensor = self.blocks[0](quarter, maps[0])
        return half, quarter


class FusionBlock(nn.Module):
    """Adds the refined skip, refines the sum, mixes the channels and doubles it (bilinear, align_corners=True).

    The paper doubles before it mixes; interpolation and a 1x1 convolution commute, and this way costs a quarter.
    """

    def __init__(self, features: int, *, batch_norm: bool, takes_skip: bool) -> None:
        super().__init__()
        # The coarsest block has no skip; the released checkpoints carry an unused unit there.
        self.skip_unit = ResidualUnit(features, batch_norm=batch_norm) if takes_skip else None
        self.unit = ResidualUnit(features, batch_norm=batch_norm)
        self.project = nn.Conv2d(features, features, 1)

    def forward(self, below: Tensor, skip: Tensor | None = None) -> Tensor:
        """(B, features, h, w) of both -> (B, features, 2 h, 2 w)."""
        if self.skip_unit is not None:
            below = self.skip_unit(skip).add_(below)
        return double(self.project(self.unit(below)))


class ResidualUnit(nn.Module):
    """Pre-activation residual convolution unit: x + conv(relu(conv(relu(x)))), each convolution 3x3.

    Batch norm follows each convolution, which then has no bias (segmentation only: it harms regression, sec. 4.1).
    """

    def __init__(self, features: int, *, batch_norm: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(features, features, 3, padding=1, bias=not batch_norm)
        self.conv2 = nn.Conv2d(features, features, 3, padding=1, bias=not batch_norm)
        self.bn1 = nn.BatchNorm2d(features) if batch_norm else nn.Identity()
        self.bn2 = nn.BatchNorm2d(features) if batch_norm else nn.Identity()

    def forward(self, features: Tensor) -> Tensor:
        """Shape is kept."""
        inner = self.bn1(self.conv1(F.relu(features)))
        refined: Tensor = self.bn2(self.conv2(F.relu(inner, inplace=True))).add_(features)
        return refined


def double(features: Tensor) -> Tensor:
    """Twice the height and width, bilinear with align_corners=True."""
    return F.interpolate(features, scale_factor=2, mode="bilinear", align_corners=True)
