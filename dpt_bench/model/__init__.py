"""The networks: DPT from its parts, backbones, named variants, checkpoints, and the released files of DPT and MiDaS."""

from __future__ import annotations

from dpt_bench.model.build import build_model
from dpt_bench.model.checkpoint import Checkpoint, read_checkpoint, save_checkpoint
from dpt_bench.model.dpt import DPT
from dpt_bench.model.load import load_model
from dpt_bench.model.spec import ModelSpec
from dpt_bench.model.variants import VARIANTS

__all__ = [
    "DPT",
    "VARIANTS",
    "Checkpoint",
    "ModelSpec",
    "build_model",
    "load_model",
    "read_checkpoint",
    "save_checkpoint",
]
