"""The dense prediction transformer (Ranftl et al., Vision Transformers for Dense Prediction, ICCV 2021)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from torch import Tensor, nn

from dpt_bench.core.errors import UsageError
from dpt_bench.model.backbones._contract import load_backbone
from dpt_bench.model.fusion import Fusion
from dpt_bench.model.heads import AuxiliaryHead, build_head
from dpt_bench.model.reassemble import FromMap, Reassemble
from dpt_bench.model.spec import ModelSpec


class TrainingLogits(NamedTuple):
    """What a segmentation network answers in training mode: two times logits (B, C, H, W)."""

    logits: Tensor
    auxiliary: Tensor


class DPT(nn.Module):
    """Figure 1 of the paper: transformer stages (orange), Reassemble (green), Fusion (purple) and a head.

    Every parameter gets a gradient in training, as distributed training requires. The auxiliary head of segmentation
    networks works in training mode alone.
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
        self.auxiliary = AuxiliaryHead(spec) if spec.head == "segmentation" else None

    def forward(self, images: Tensor) -> Tensor | TrainingLogits:
        """Normalised images (B, 3, H, W), sides multiples of 32 -> (B, H, W) of `spec.kind`, or logits (B, C, H, W).

        Raises:
            UsageError: a side is another number.
        """
        if images.shape[2] % 32 or images.shape[3] % 32:
            raise UsageError(
                f"the sides of an image must be multiples of 32, got {images.shape[2]} x {images.shape[3]}",
                fix="resize or pad it; `load_predictor` does so itself",
            )
        taps = self.backbone(images)
        maps = [reassemble(tap) for reassemble, tap in zip(self.reassemble, taps, strict=True)]
        fused, penultimate = self.fusion(maps)
        output: Tensor = self.head(fused)
        if self.auxiliary is not None and self.training:
            return TrainingLogits(output, self.auxiliary(penultimate))
        return output

    def checkpoint_gradients(self, *, enabled: bool = True) -> None:
        """Trade time for memory in training: transformer blocks are computed again in the backward pass.

        Raises:
            UsageError: the backbone has no transformer blocks.
        """
        self.backbone.checkpoint_gradients(enabled=enabled)

    def backbone_parameters(self) -> Iterator[nn.Parameter]:
        """The pretrained part, trained at the lower rate (1e-5 in the paper, sec. 4.1)."""
        return self.backbone.parameters()

    def decoder_parameters(self) -> Iterator[nn.Parameter]:
        """The rest, initialised at random (1e-4 in the paper)."""
        for part in (self.reassemble, self.fusion, self.head, self.auxiliary):
            if part is not None:
                yield from part.parameters()
