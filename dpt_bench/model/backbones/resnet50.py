"""ResNet-50 (He et al., CVPR 2016): the smaller encoder of the MiDaS and DPT papers' comparisons."""

from __future__ import annotations

from dpt_bench.model.backbones._resnet import ResNetBackbone
from dpt_bench.model.spec import ModelSpec

TIMM_NAME = "resnet50.tv_in1k"


def build(spec: ModelSpec) -> ResNetBackbone:
    return ResNetBackbone(spec, timm_name=TIMM_NAME)
