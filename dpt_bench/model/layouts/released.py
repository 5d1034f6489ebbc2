"""The authors' layout: the files that isl-org/DPT and isl-org/MiDaS released, and their copies under other names."""

from __future__ import annotations

from dpt_bench.model.layouts._layout import Layout
from dpt_bench.model.spec import ModelSpec

_PREFIXES = {
    "backbone.vit.": "pretrained.model.",
    "backbone.network.": "pretrained.",
    "head.layers.": "scratch.output_conv.",
    "auxiliary.layers.": "auxlayer.",
} | {
    ours.format(stage): released.format(stage + 1)
    for stage in range(4)
    for ours, released in (
        ("reassemble.{}.read.mlp.", "pretrained.act_postprocess{}.0.project."),
        ("reassemble.{}.project.", "pretrained.act_postprocess{}.3."),
        ("reassemble.{}.resample.", "pretrained.act_postprocess{}.4."),
        ("reassemble.{}.to_features.", "scratch.layer{}_rn."),
        ("fusion.blocks.{}.skip_unit.", "scratch.refinenet{}.resConfUnit1."),
        ("fusion.blocks.{}.unit.", "scratch.refinenet{}.resConfUnit2."),
        ("fusion.blocks.{}.project.", "scratch.refinenet{}.out_conv."),
    )
}
"""Our prefixes -> the released ones."""

_UNUSED = ("pretrained.model.norm.", "pretrained.model.head", "scratch.refinenet4.resConfUnit1.")
"""In the released files, and without effect: the ImageNet classifier, its norm, and a fusion unit without a skip."""


def _names(_: ModelSpec, key: str) -> tuple[str, ...]:
    for ours, released in _PREFIXES.items():
        if key.startswith(ours):
            return (released + key.removeprefix(ours),)
    raise KeyError(key)


def _unused(_: ModelSpec, key: str) -> bool:
    return key.startswith(_UNUSED)


LAYOUT = Layout("released DPT or MiDaS weights", mark="scratch.", names=_names, unused=_unused)
