"""The authors' layout: the files that isl-org/DPT and isl-org/MiDaS released, and their copies under other names."""

from __future__ import annotations

import torch
from torch import Tensor

from dpt_bench.model.build import empty_model
from dpt_bench.model.layouts._layout import Layout, neutral
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

IMAGENET_CLASSES = 1000
_SKIP_UNIT, _UNUSED_UNIT = "scratch.refinenet1.resConfUnit1.", "scratch.refinenet4.resConfUnit1."
_BUFFERS = ("running_mean", "running_var", "num_batches_tracked")
_UNUSED = ("pretrained.model.norm.", "pretrained.model.head", _UNUSED_UNIT)
"""In the released files, and without effect: the ImageNet classifier, its norm, and a fusion unit without a skip."""


def _names(_: ModelSpec, key: str) -> tuple[str, ...]:
    for ours, released in _PREFIXES.items():
        if key.startswith(ours):
            return (released + key.removeprefix(ours),)
    raise KeyError(key)


def _unused(_: ModelSpec, key: str) -> bool:
    return key.startswith(_UNUSED)


LAYOUT = Layout("released DPT or MiDaS weights", mark="scratch.", names=_names, unused=_unused)


def unused_weights(spec: ModelSpec) -> dict[str, Tensor]:
    """What the authors' code expects in a file besides the weights that it uses, as zeros (and variances of one)."""
    shapes = LAYOUT.shapes(spec)
    unit = {key: shape for key, shape in shapes.items() if key.startswith(_SKIP_UNIT)}
    found = {key.replace(_SKIP_UNIT, _UNUSED_UNIT): shape for key, shape in unit.items()}
    if "pretrained.model.cls_token" in shapes:
        width = shapes["pretrained.model.cls_token"][-1]
        found |= {f"pretrained.model.norm.{part}": torch.Size([width]) for part in ("weight", "bias")}
        heads = ("head", "head_dist") if "pretrained.model.dist_token" in shapes else ("head",)
        for head in heads:
            found[f"pretrained.model.{head}.weight"] = torch.Size([IMAGENET_CLASSES, width])
            found[f"pretrained.model.{head}.bias"] = torch.Size([IMAGENET_CLASSES])
    return {key: neutral(key, shape) for key, shape in found.items()}


def num_parameters(spec: ModelSpec) -> int:
    """Parameters of the authors' network, with those it never uses: what the papers' tables count."""
    used = sum(parameter.numel() for parameter in empty_model(spec).parameters())
    return used + sum(value.numel() for key, value in unused_weights(spec).items() if not key.endswith(_BUFFERS))
