"""A backbone of 30,000 parameters, so that tests of the loop take moments."""

from __future__ import annotations

from dpt_bench.model.backbones._conv_stem import ConvStem
from dpt_bench.model.backbones._hybrid import HybridBackbone, transformer_on
from dpt_bench.model.spec import ModelSpec


def build(spec: ModelSpec) -> HybridBackbone:
    stem = ConvStem(channels=(8, 16, 16), depths=(1, 1, 1))
    return HybridBackbone(transformer_on(stem, train_size=spec.train_size, width=32, depth=2, heads=2), spec.hooks)
