"""ViT-Base on a ResNet-50 of three stages (Dosovitskiy et al., ICLR 2021): the encoder of DPT-Hybrid."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F  # noqa: N812
from timm.layers.padding import pad_same
from timm.layers.std_conv import StdConv2dSame
from timm.models.resnetv2 import ResNetV2
from torch import Tensor

from dpt_bench.model.backbones._hybrid import HybridBackbone, transformer_on
from dpt_bench.model.spec import ModelSpec

TIMM_NAME = "vit_base_r50_s16_384.orig_in21k_ft_in1k"
STD_EPS = 1e-5


def build(spec: ModelSpec) -> HybridBackbone:
    convolutions = ResNetV2(
        layers=[3, 4, 9],
        num_classes=0,
        global_pool="",
        preact=False,
        stem_type="same",
        conv_layer=convolution(spec),
    )
    vit = transformer_on(convolutions, train_size=384, width=768, depth=12, heads=12)
    return HybridBackbone(vit, spec.hooks, timm_name=TIMM_NAME)


def convolution(spec: ModelSpec) -> Callable[..., StdConv2dSame]:
    """The convolution with the spec's weight standardisation."""
    return StdPlusEpsConv if spec.weight_standardization == "std_plus_eps" else partial(StdConv2dSame, eps=1e-8)


class StdPlusEpsConv(StdConv2dSame):
    """Convolution with weight standardisation (w - mean) / (std + 1e-5), as timm computed it up to 0.4.8.

    The released checkpoints were trained with it; the later formula changes their output by 5e-4 (relative).
    """

    def forward(self, features: Tensor) -> Tensor:
        """TensorFlow's SAME padding, then the convolution."""
        std, mean = torch.std_mean(self.weight, dim=(1, 2, 3), keepdim=True, unbiased=False)
        weight = (self.weight - mean) / (std + STD_EPS)
        kernel, stride, dilation = list(self.kernel_size), list(self.stride), list(self.dilation)
        padded = pad_same(features, kernel, stride, dilation) if self.same_pad else features
        return F.conv2d(padded, weight, self.bias, self.stride, self.padding, self.dilation, self.groups)
