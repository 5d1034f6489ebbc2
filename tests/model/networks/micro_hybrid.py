"""A small ResNetV2 under a vision transformer as a backbone, in the place of ViT-Base on ResNet-50."""

from __future__ import annotations

from timm.models.resnetv2 import ResNetV2

from dpt_bench.model.backbones._hybrid import HybridBackbone, transformer_on
from dpt_bench.model.backbones.vit_base_r50 import convolution
from dpt_bench.model.spec import ModelSpec


def build(spec: ModelSpec) -> HybridBackbone:
    stem = ResNetV2(
        layers=[1, 1, 2],
        channels=(128, 256, 512),
        num_classes=0,
        global_pool="",
        preact=False,
        stem_type="same",
        conv_layer=convolution(spec),
    )
    return HybridBackbone(transformer_on(stem, train_size=64, width=48, depth=3, heads=3), spec.hooks)
