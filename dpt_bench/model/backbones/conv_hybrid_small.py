"""A hybrid for small GPUs: a residual stem and six transformer blocks of width 384 (12.4 M parameters)."""

from __future__ import annotations

from dpt_bench.model.backbones._conv_stem import ConvStem
from dpt_bench.model.backbones._hybrid import HybridBackbone, transformer_on
from dpt_bench.model.spec import ModelSpec


def build(spec: ModelSpec) -> HybridBackbone:
    convolutions = ConvStem(channels=(48, 96, 192), depths=(2, 2, 2))
    vit = transformer_on(convolutions, train_size=spec.train_size, width=384, depth=6, heads=6)
    return HybridBackbone(vit, spec.hooks)
