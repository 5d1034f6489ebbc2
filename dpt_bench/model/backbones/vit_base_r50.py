"""ViT-Base on a ResNet-50 of three stages (Dosovitskiy et al., ICLR 2021): the encoder of DPT-Hybrid."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from timm.layers.std_conv import StdConv2dSame
from timm.models.resnetv2 import ResNetV2
from torch import Tensor, nn

from dpt_bench.model.backbones._hybrid import HybridBackbone, transformer_on
from dpt_bench.model.spec import ModelSpec

TIMM_NAME = "vit_base_r50_s16_384.orig_in21k_ft_in1k"
STD_EPS = 1e-5


def build(spec: ModelSpec) -> HybridBackbone:
    convolutions = residual_stages(spec, layers=(3, 4, 9))
    vit = transformer_on(convolutions, train_size=384, width=768, depth=12, heads=12)
    return HybridBackbone(vit, spec.hooks, timm_name=TIMM_NAME)


def residual_stages(
    spec: ModelSpec, *, layers: tuple[int, ...], channels: tuple[int, ...] = (256, 512, 1024)
) -> ResNetV2:
    """A ResNet with the spec's weight standardisation, for images whose sides are multiples of 32."""
    convolutions = ResNetV2(
        layers=list(layers),
        channels=channels,
        num_classes=0,
        global_pool="",
        preact=False,
        stem_type="same",
        conv_layer=convolution(spec),
    )
    pool = nn.MaxPool2d(3, stride=2)
    convolutions.stem.pool = nn.Sequential(nn.ConstantPad2d(2 * same_padding(3, 2), -float("inf")), pool)
    return convolutions


def convolution(spec: ModelSpec) -> Callable[..., StdConv]:
    """The convolution with the spec's weight standardisation."""
    return StdPlusEpsConv if spec.weight_standardization == "std_plus_eps" else StdConv


def same_padding(kernel: int, stride: int) -> tuple[int, int]:
    """TensorFlow's SAME padding before and after, where the side is a multiple of the stride."""
    total = max(kernel - stride, 0)
    return total // 2, total - total // 2


class StdConv(StdConv2dSame):
    """Convolution with timm's weight standardisation, (w - mean) / sqrt(variance + 1e-8), and SAME padding.

    Sides are multiples of the stride, so that the padding is known beforehand. Timm computes it from the size at hand,
    which with free sizes nests one rounding in another from layer to layer in what torch.compile has to reason about.
    """

    def __init__(self, inputs: int, outputs: int, kernel_size: int, stride: int = 1, **options: Any) -> None:
        super().__init__(inputs, outputs, kernel_size, stride=stride, eps=1e-8, **options)
        before, after = same_padding(kernel_size, stride) if self.same_pad else (0, 0)
        self.border = (before, after, before, after)
        self.same_pad = False

    def forward(self, features: Tensor) -> Tensor:
        """(B, inputs, h, w) -> (B, outputs, h / stride, w / stride)."""
        convolved: Tensor = super().forward(self.padded(features))  # type: ignore[no-untyped-call]
        return convolved

    def padded(self, features: Tensor) -> Tensor:
        """With zeros around, unless the convolution itself adds them."""
        return F.pad(features, self.border) if any(self.border) else features


class StdPlusEpsConv(StdConv):
    """Convolution with weight standardisation (w - mean) / (std + 1e-5), as timm computed it up to 0.4.8.

    The released checkpoints were trained with it; the later formula changes their output by 5e-4 (relative).
    """

    def forward(self, features: Tensor) -> Tensor:
        """As StdConv's."""
        std, mean = torch.std_mean(self.weight, dim=(1, 2, 3), keepdim=True, unbiased=False)
        weight = (self.weight - mean) / (std + STD_EPS)
        padded = self.padded(features)
        return F.conv2d(padded, weight, self.bias, self.stride, self.padding, self.dilation, self.groups)
