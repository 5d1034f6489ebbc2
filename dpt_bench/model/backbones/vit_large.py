"""ViT-Large/16 at 384 (Dosovitskiy et al., ICLR 2021): 24 blocks of width 1024."""

from __future__ import annotations

from dpt_bench.model.backbones._vit import ViTBackbone, timm_vit
from dpt_bench.model.spec import ModelSpec

TIMM_NAME = "vit_large_patch16_384.augreg_in21k_ft_in1k"


def build(spec: ModelSpec) -> ViTBackbone:
    return ViTBackbone(timm_vit(TIMM_NAME), spec.hooks, timm_name=TIMM_NAME)
