"""A hybrid for CPUs: a residual stem and two transformer blocks of width 128 (about 1 M parameters)."""

from __future__ import annotations

from dpt_bench.model.backbones._conv_stem import ConvStem
from dpt_bench.model.backbones._hybrid import HybridBackbone, transformer_on
from dpt_bench.model.spec import ModelSpec


def build(spec: ModelSpec) -> HybridBackbone:
    convolutions = ConvStem(channels=(24, 64, 128), depths=(1, 2, 2))
    vit = transformer_on(convolutions, train_size=spec.train_size, width=128, depth=2, heads=4)
    return HybridBackbone(vit, spec.hooks)
