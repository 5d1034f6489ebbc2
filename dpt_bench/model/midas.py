"""MiDaS v2.1, the convolutional network that DPT is compared with (Ranftl et al., TPAMI 2022)."""

from __future__ import annotations

import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from dpt_bench.model.dpt import DPT
from dpt_bench.model.fusion import Fusion, ResidualUnit, double
from dpt_bench.model.heads import DepthHead
from dpt_bench.model.spec import ModelSpec


class MidasNet(DPT):
    """DPT's plan with a convolutional encoder, fusion blocks of another kind, and align_corners=False in the head."""

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(spec)
        self.fusion = MidasFusion(spec.features)
        self.head = DepthHead(spec, align_corners=False)


class MidasFusion(Fusion):
    """Four blocks as in DPT, without the 1x1 convolution after each."""

    def __init__(self, features: int) -> None:
        nn.Module.__init__(self)
        self.blocks = nn.ModuleList(MidasFusionBlock(features, takes_skip=stage < 3) for stage in range(4))


class MidasFusionBlock(nn.Module):
    """Adds the refined skip, refines the sum and doubles it (bilinear, align_corners=True)."""

    def __init__(self, features: int, *, takes_skip: bool) -> None:
        super().__init__()
        self.skip_unit = MidasUnit(features, batch_norm=False) if takes_skip else None
        self.unit = MidasUnit(features, batch_norm=False)

    def forward(self, below: Tensor, skip: Tensor | None = None) -> Tensor:
        """(B, features, h, w) of both -> (B, features, 2 h, 2 w)."""
        if self.skip_unit is not None:
            below = self.skip_unit(skip).add_(below)
        return double(self.unit(below))


class MidasUnit(ResidualUnit):
    """relu(x) + conv(relu(conv(relu(x)))): the released code's in-place ReLU overwrote x before it was added again.

    The weights were trained so; adding x itself gives a wholly different output.
    """

    def forward(self, features: Tensor) -> Tensor:
        activated = F.relu(features)
        refined: Tensor = self.conv2(F.relu(self.conv1(activated), inplace=True)).add_(activated)
        return refined
