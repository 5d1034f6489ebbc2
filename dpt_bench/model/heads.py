"""Task heads: depth (DPT, supplement, figure 1a), segmentation (figure 1b), and the auxiliary head of its training."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dpt_bench.model.fusion import double
from dpt_bench.model.spec import ModelSpec


class DepthHead(nn.Module):
    """Three convolutions, doubled after the first; with `non_negative` a last ReLU; then the spec's affine map.

    The last convolution starts with positive weights and bias: it follows a ReLU, so the output starts positive
    everywhere. A fresh network whose output starts below zero would be clipped to zero and never get a gradient.
    """

    def __init__(self, spec: ModelSpec, *, align_corners: bool = True) -> None:
        super().__init__()
        half, few = spec.features // 2, min(32, spec.features // 4)
        self.layers = nn.Sequential(
            nn.Conv2d(spec.features, half, 3, padding=1),
            nn.Upsample(scale_factor=2, mode="bilinear", align_corners=align_corners),
            nn.Conv2d(half, few, 3, padding=1),
            nn.ReLU(inplace=True),
            PreciseConvolution(few, 1),
            nn.ReLU() if spec.non_negative else nn.Identity(),
        )
        self.scale, self.shift, self.invert = spec.scale, spec.shift, spec.invert

    def forward(self, features: Tensor) -> Tensor:
        """(B, features, H / 2, W / 2) -> (B, H, W)."""
        output: Tensor = self.layers(features).squeeze(1)
        if (self.scale, self.shift) != (1.0, 0.0):
            output = self.scale * output + self.shift
        if self.invert:
            output = 1.0 / output.clamp(min=1e-8)
        return output


class PreciseConvolution(nn.Conv2d):
    """A 1x1 convolution kept out of autocast: bfloat16's 8 bits would quantise the prediction to steps of 0.4 %.

    Its initial weights are made positive; see DepthHead.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, 1)
        with torch.no_grad():
            self.weight.abs_()
            assert self.bias is not None
            self.bias.fill_(0.1)

    def forward(self, features: Tensor) -> Tensor:
        if features.dtype == self.weight.dtype:
            return super().forward(features)
        with torch.autocast(features.device.type, enabled=False):  # only autocast makes the two differ
            return super().forward(features.to(self.weight.dtype))


class SegmentationHead(nn.Module):
    """Convolution, batch norm, dropout 0.1 and a linear classifier at half resolution, then doubled."""

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__()
        self.layers = _classifier(spec)

    def forward(self, features: Tensor) -> Tensor:
        """(B, features, H / 2, W / 2) -> logits (B, classes, H, W)."""
        return double(self.layers(features))


class AuxiliaryHead(nn.Module):
    """Another such classifier, on the penultimate fusion block, for training alone.

    Ranftl et al., ICCV 2021, sec. 4.2: "an auxiliary output head together with an auxiliary loss to the output of the
    penultimate fusion layer", weighted 0.2. The released code trained it and never calls it.
    """

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__()
        self.layers = _classifier(spec)

    def forward(self, features: Tensor) -> Tensor:
        """(B, features, H / 4, W / 4) -> logits (B, classes, H, W)."""
        return double(double(self.layers(features)))


def _classifier(spec: ModelSpec) -> nn.Sequential:
    assert spec.num_classes is not None
    return nn.Sequential(
        nn.Conv2d(spec.features, spec.features, 3, padding=1, bias=False),
        nn.BatchNorm2d(spec.features),
        nn.ReLU(inplace=True),
        nn.Dropout(0.1),
        nn.Conv2d(spec.features, spec.num_classes, 1),
    )


def build_head(spec: ModelSpec) -> DepthHead | SegmentationHead:
    return DepthHead(spec) if spec.head == "depth" else SegmentationHead(spec)
