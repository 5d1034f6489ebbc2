"""DeiT-Base/16 at 384 (Touvron et al., ICML 2021): the architecture of ViT-Base, other weights and normalisation."""

from __future__ import annotations

from dpt_bench.model.backbones._vit import ViTBackbone, timm_vit
from dpt_bench.model.spec import ModelSpec

TIMM_NAME = "deit_base_patch16_384.fb_in1k"


def build(spec: ModelSpec) -> ViTBackbone:
    return ViTBackbone(timm_vit(TIMM_NAME), spec.hooks, timm_name=TIMM_NAME)
