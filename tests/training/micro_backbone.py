"""A backbone of 44,000 parameters, so that tests of the loop take moments.

Its group norm treats every image alone, so that a batch may be cut into parts or spread over processes without a trace.
"""

from __future__ import annotations

from torch import nn

from dpt_bench.model.backbones._conv_stem import ConvStem
from dpt_bench.model.backbones._hybrid import HybridBackbone, transformer_on
from dpt_bench.model.spec import ModelSpec


def build(spec: ModelSpec) -> HybridBackbone:
    stem = ConvStem(channels=(16, 16, 16), depths=(1, 1, 1))
    alone(stem)
    return HybridBackbone(transformer_on(stem, train_size=spec.train_size, width=32, depth=2, heads=2), spec.hooks)


def alone(module: nn.Module) -> None:
    for name, child in module.named_children():
        if isinstance(child, nn.BatchNorm2d):
            setattr(module, name, nn.GroupNorm(child.num_features // 8, child.num_features))
        else:
            alone(child)
