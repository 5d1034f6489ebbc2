"""The dense prediction transformer (Ranftl et al., Vision Transformers for Dense Prediction, ICCV 2021)."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor, nn

from dpt_bench.model.backbones._contract import load_backbone
from dpt_bench.model.fusion import Fusion
from dpt_bench.model.heads import build_head
from dpt_bench.model.reassemble import FromMap, Reassemble
from dpt_bench.model.spec import ModelSpec


class DPT(nn.Module):
    """Figure 1 of the paper: transformer stages (orange), Reassemble (green), Fusion (purple) and a head.

    Every parameter gets a gradient in training, as distributed training requires.
    """

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__()
        self.spec = spec
        self.backbone = load_backbone(spec)
        self.reassemble = nn.ModuleList(
            Reassemble(
                stage,
                channels=self.backbone.channels[stage],
                width=spec.widths[stage],
                features=spec.features,
                readout=spec.readout,
            )
            if self.backbone.holds_tokens[stage]
            else FromMap(width=spec.widths[stage], features=spec.features)
            for stage in range(4)
        )
        self.fusion = Fusion(spec.features, batch_norm=spec.batch_norm)
        self.head = build_head(spec)

    def forward(self, images: Tensor) -> Tensor:
        """Normalised images (B, 3, H, W), sides multiples of 32 -> (B, H, W) of `spec.kind`, or logits (B, C, H, W)."""
        taps = self.backbone(images)
        maps = [reassemble(tap) for reassemble, tap in zip(self.reassemble, taps, strict=True)]
        fused = self.fusion(maps)
        output: Tensor = self.head(fused)
        return output

    def backbone_parameters(self) -> Iterator[nn.Parameter]:
        """The pretrained part, trained at the lower rate (1e-5 in the paper, sec. 4.1)."""
        return self.backbone.parameters()

    def decoder_parameters(self) -> Iterator[nn.Parameter]:
        """The rest, initialised at random (1e-4 in the paper)."""
        for part in (self.reassemble, self.fusion, self.head):
            yield from part.parameters()
