"""A small ResNetV2 under a vision transformer as a backbone, in the place of ViT-Base on ResNet-50."""

from __future__ import annotations

from dpt_bench.model.backbones._hybrid import HybridBackbone, transformer_on
from dpt_bench.model.backbones.vit_base_r50 import residual_stages
from dpt_bench.model.spec import ModelSpec


def build(spec: ModelSpec) -> HybridBackbone:
    stages = residual_stages(spec, layers=(1, 1, 2), channels=(128, 256, 512))
    return HybridBackbone(transformer_on(stages, train_size=64, width=48, depth=3, heads=3), spec.hooks)
