"""Weights under the names of the released DPT and MiDaS files, recognised by their keys and shapes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import torch
from torch import Tensor

from dpt_bench.core.kinds import DepthKind
from dpt_bench.model.build import empty_model
from dpt_bench.model.spec import ModelSpec, Readout
from dpt_bench.model.variants import VARIANTS

_PREFIXES = {
    "backbone.vit.": "pretrained.model.",
    "backbone.network.": "pretrained.",
    "head.layers.": "scratch.output_conv.",
} | {
    ours.format(stage): official.format(stage + 1)
    for stage in range(4)
    for ours, official in (
        ("reassemble.{}.read.mlp.", "pretrained.act_postprocess{}.0.project."),
        ("reassemble.{}.project.", "pretrained.act_postprocess{}.3."),
        ("reassemble.{}.resample.", "pretrained.act_postprocess{}.4."),
        ("reassemble.{}.to_features.", "scratch.layer{}_rn."),
        ("fusion.blocks.{}.skip_unit.", "scratch.refinenet{}.resConfUnit1."),
        ("fusion.blocks.{}.unit.", "scratch.refinenet{}.resConfUnit2."),
        ("fusion.blocks.{}.project.", "scratch.refinenet{}.out_conv."),
    )
}
"""Our prefixes -> the released ones (isl-org/DPT, isl-org/MiDaS)."""

_UNUSED = ("pretrained.model.norm.", "pretrained.model.head", "scratch.refinenet4.resConfUnit1.", "auxlayer.")
"""In the released files, and without effect on the released output: the ImageNet classifier and its norm, a fusion unit
that has no skip to refine, and the auxiliary head that only training used."""

_OUTPUT_ALONE = {"kind": DepthKind.AFFINE_DISPARITY, "scale": 1.0, "shift": 0.0, "invert": False}
"""Fields that change what the output means and no weight."""

RELEASED = tuple(name for name, spec in VARIANTS.items() if not spec.backbone.startswith("conv_hybrid"))
"""Variants in the layout of the released code; the small hybrids are ours."""


def official_name(key: str) -> str:
    """The released name of one of our state-dict keys."""
    for ours, official in _PREFIXES.items():
        if key.startswith(ours):
            return official + key.removeprefix(ours)
    raise KeyError(key)


def official_weights(content: Mapping[str, Any]) -> dict[str, Tensor] | None:
    """The weights of a released file, which may lie beside its optimiser; None for any other content."""
    weights = content.get("model", content) if "optimizer" in content else content
    if not isinstance(weights, Mapping) or not all(isinstance(value, Tensor) for value in weights.values()):
        return None
    return dict(weights) if any(key.startswith("scratch.") for key in weights) else None


def fitting_specs(weights: Mapping[str, Tensor], readout: Readout | None = None) -> dict[str, list[ModelSpec]]:
    """Variant -> specs whose keys and shapes are those of `weights`; two where the readout cannot be told from them."""
    projects = any(".0.project." in key for key in weights)
    readouts: list[Readout] = ["project"] if projects else ["ignore", "add"]
    wanted = [choice for choice in readouts if readout in (None, choice)]
    fits = {}
    for name in RELEASED:
        choices = [VARIANTS[name].model_copy(update={"readout": choice}) for choice in wanted]
        if VARIANTS[name].decoder == "midas_v21":
            choices = [VARIANTS[name]]
        if choices and not misfits(choices[0], weights):
            fits[name] = choices
    return fits


def misfits(spec: ModelSpec, weights: Mapping[str, Tensor]) -> list[str]:
    """What keeps released weights from fitting a spec: one text for each missing, misshapen or unexpected key."""
    layout = _layout(spec.model_copy(update=_OUTPUT_ALONE))
    found = [f"{key} is missing" for key in layout if key not in weights]
    for key, value in weights.items():
        if key in layout and value.shape != layout[key]:
            found.append(f"{key} is {tuple(value.shape)}, not {tuple(layout[key])}")
        elif key not in layout and not key.startswith(_UNUSED):
            found.append(f"{key} is unexpected")
    return found


def renamed(weights: Mapping[str, Tensor], spec: ModelSpec) -> dict[str, Tensor]:
    """Released weights under our names, in float32; what has no effect is left out."""
    return {key: _float32(weights[official_name(key)]) for key in empty_model(spec).state_dict()}


def _float32(value: Tensor) -> Tensor:
    return value.to(torch.float32) if value.is_floating_point() else value


@cache
def _layout(spec: ModelSpec) -> dict[str, torch.Size]:
    return {official_name(key): value.shape for key, value in empty_model(spec).state_dict().items()}
