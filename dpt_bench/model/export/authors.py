"""The file that the authors' own code loads: isl-org/DPT and isl-org/MiDaS."""

from __future__ import annotations

from pathlib import Path

import torch

from dpt_bench.model.export._contract import Export, refusal
from dpt_bench.model.export._standardise import standardises, weights_for
from dpt_bench.model.layouts import _layout
from dpt_bench.model.layouts.released import LAYOUT, unused_weights
from dpt_bench.model.spec import ModelSpec
from dpt_bench.model.variants import VARIANTS

TITLE = "a .pt file for the code of isl-org/DPT and isl-org/MiDaS"
FOLDER = False

_ALIKE = ("backbone", "hooks", "widths", "features", "head", "decoder", "batch_norm")
_LAYER_NORM_EPS = 1e-6


def write(export: Export, out: Path) -> list[str]:
    """Write the file; returns what to tell the authors' code, and where its formula differs."""
    spec = export.model.spec
    if not any(_alike(spec, VARIANTS[name]) for name in _layout.RELEASED):
        raise refusal(
            "authors", f"its code builds {', '.join(_layout.RELEASED)} alone", "export to safetensors or onnx instead"
        )
    weights = LAYOUT.theirs(spec, weights_for(export.model, "std_plus_eps"))
    torch.save(weights | unused_weights(spec), out)
    return _notes(export)


def _alike(spec: ModelSpec, released: ModelSpec) -> bool:
    return all(getattr(spec, name) == getattr(released, name) for name in _ALIKE)


def _notes(export: Export) -> list[str]:
    spec = export.model.spec
    notes = ["what the network never uses (ImageNet classifier, a fusion unit without a skip) is written as zeros"]
    if spec.readout != "project" and spec.decoder == "dpt":
        notes.append(f'the authors\' code must be told readout="{spec.readout}": no key of the file says so')
    if spec.invert or (spec.scale, spec.shift) != (1.0, 0.0):
        told = f"scale={spec.scale}, shift={spec.shift}, invert={spec.invert}"
        notes.append(f"the authors' code must be told {told}: no key of the file says so")
    if not spec.non_negative:
        notes.append("the authors' code must be told non_negative=False: no key of the file says so")
    if standardises(export.model):
        notes.append(
            "with the timm 0.4.5 that the authors' code asks for, weights are standardised as (w - mean) / (std + 1e-5)"
        )
        if spec.weight_standardization != "std_plus_eps":
            notes.append("this network standardises by another formula: its filters were scaled so that outputs agree")
    if spec.layer_norm_eps not in (None, _LAYER_NORM_EPS):
        notes.append(f"layer norms add {_LAYER_NORM_EPS} there, {spec.layer_norm_eps} here: outputs differ by rounding")
    return notes
