"""The layout of transformers' DPT: Intel/dpt-large, dpt-hybrid-midas, dpt-large-ade and what has their keys."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from dpt_bench.model.layouts._layout import Layout, neutral
from dpt_bench.model.spec import ModelSpec

DEFAULT_LAYER_NORM_EPS = 1e-12
_STEM = "dpt.embeddings.backbone.bit."
_PREFIXES = (
    (r"^backbone\.vit\.cls_token", "dpt.embeddings.cls_token"),
    (r"^backbone\.vit\.pos_embed", "dpt.embeddings.position_embeddings"),
    (r"^backbone\.vit\.patch_embed\.backbone\.stem\.conv\.", _STEM + "embedder.convolution."),
    (r"^backbone\.vit\.patch_embed\.backbone\.stem\.norm\.", _STEM + "embedder.norm."),
    (r"^backbone\.vit\.patch_embed\.backbone\.stages\.(\d+)\.blocks\.", _STEM + r"encoder.stages.\1.layers."),
    (r"^backbone\.vit\.blocks\.", "dpt.encoder.layer."),
    (r"^reassemble\.(\d)\.read\.mlp\.", r"neck.reassemble_stage.readout_projects.\1."),
    (r"^reassemble\.(\d)\.project\.", r"neck.reassemble_stage.layers.\1.projection."),
    (r"^reassemble\.(\d)\.resample\.", r"neck.reassemble_stage.layers.\1.resize."),
    (r"^reassemble\.(\d)\.to_features\.", r"neck.convs.\1."),
    (r"^head\.layers\.", "head.head."),
    (r"^auxiliary\.layers\.", "auxiliary_head.head."),
)
_IN_BLOCKS = (
    (".norm1.", ".layernorm_before."),
    (".norm2.", ".layernorm_after."),
    (".attn.proj.", ".attention.output.dense."),
    (".mlp.fc1.", ".intermediate.dense."),
    (".mlp.fc2.", ".output.dense."),
)
_IN_FUSION = (
    ("skip_unit.", "residual_layer1."),
    ("unit.", "residual_layer2."),
    ("project.", "projection."),
    (".conv", ".convolution"),
    (".bn", ".batch_norm"),
)
_SKIP_UNIT, _UNUSED_UNIT = (f"neck.fusion_stage.layers.{place}.residual_layer1." for place in (3, 0))
_UNUSED = ("dpt.layernorm.", "dpt.pooler.", _UNUSED_UNIT)
"""The norm behind the last block, and a fusion unit that has no skip to refine: the files of 2022 lack the unit."""


def _names(spec: ModelSpec, key: str) -> tuple[str, ...]:
    if match := re.match(r"backbone\.vit\.blocks\.(\d+)\.attn\.qkv\.(.*)", key):
        attention = f"dpt.encoder.layer.{match[1]}.attention.attention."
        return tuple(f"{attention}{part}.{match[2]}" for part in ("query", "key", "value"))
    if key.startswith("backbone.vit.patch_embed.proj."):
        patches = (
            "dpt.embeddings.projection." if len(spec.hooks) == 2 else "dpt.embeddings.patch_embeddings.projection."
        )
        return (patches + key.rpartition(".")[2],)
    if match := re.match(r"fusion\.blocks\.(\d)\.(.*)", key):
        return (f"neck.fusion_stage.layers.{3 - int(match[1])}.{_replaced(match[2], _IN_FUSION)}",)
    for pattern, prefix in _PREFIXES:
        if re.match(pattern, key):
            name = re.sub(pattern, prefix, key)
            return (_replaced(name, _IN_BLOCKS) if name.startswith("dpt.encoder.") else name,)
    return (key,)  # a network that transformers does not have: no file has this name


def _replaced(name: str, pairs: tuple[tuple[str, str], ...]) -> str:
    for ours, theirs in pairs:
        name = name.replace(ours, theirs)
    return name


def _unused(spec: ModelSpec, key: str) -> bool:
    block = re.match(r"dpt\.encoder\.layer\.(\d+)\.", key)
    return key.startswith(_UNUSED) or (block is not None and int(block[1]) > spec.hooks[-1])


LAYOUT = Layout("weights of transformers' DPT", mark="neck.", names=_names, unused=_unused)


def implied(weights: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of the ModelSpec that being of transformers implies, unless config.json says otherwise."""
    hybrid = any(key.startswith(_STEM) for key in weights)
    norm = {"layer_norm_eps": DEFAULT_LAYER_NORM_EPS}
    return norm | {"weight_standardization": "var_plus_eps"} if hybrid else norm


def unused_weights(spec: ModelSpec) -> dict[str, Tensor]:
    """What transformers' DPT has besides: a norm behind the last block, and a fusion unit whose output nobody reads."""
    shapes = LAYOUT.shapes(spec)
    width = shapes["dpt.embeddings.cls_token"][-1]
    found = {"dpt.layernorm.weight": torch.ones(width), "dpt.layernorm.bias": torch.zeros(width)}
    for key, shape in shapes.items():
        if key.startswith(_SKIP_UNIT):
            found[key.replace(_SKIP_UNIT, _UNUSED_UNIT)] = neutral(key, shape)
    return found
