"""MIX 6 conversion, DPT training, reproducible zero-shot evaluation. Importing it imports no torch and no ray."""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "load_model": "dpt_bench.model",
    "load_predictor": "dpt_bench.predictors",
    "evaluate": "dpt_bench.evaluation",
    "build": "dpt_bench.conversion",
    "train": "dpt_bench.training",
}
__all__ = ["build", "evaluate", "load_model", "load_predictor", "train"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'dpt_bench' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
