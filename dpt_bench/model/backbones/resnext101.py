"""ResNeXt-101 32x8d (Xie et al., CVPR 2017), pretrained on weakly labelled images: the encoder of MiDaS v2.1."""

from __future__ import annotations

from dpt_bench.model.backbones._resnet import ResNetBackbone
from dpt_bench.model.spec import ModelSpec

TIMM_NAME = "resnext101_32x8d.fb_wsl_ig1b_ft_in1k"


def build(spec: ModelSpec) -> ResNetBackbone:
    return ResNetBackbone(spec, timm_name=TIMM_NAME)
