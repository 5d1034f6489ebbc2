"""A vision transformer of some thousand parameters as a backbone, in the place of ViT-Base and ViT-Large."""

from __future__ import annotations

from timm.models.vision_transformer import VisionTransformer

from dpt_bench.model.backbones._vit import ViTBackbone
from dpt_bench.model.spec import ModelSpec


def build(spec: ModelSpec) -> ViTBackbone:
    vit = VisionTransformer(img_size=64, patch_size=16, embed_dim=48, depth=5, num_heads=3, num_classes=0)
    return ViTBackbone(vit, spec.hooks, timm_name="")
