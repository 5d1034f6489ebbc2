"""MIX 6 conversion, DPT training, reproducible zero-shot evaluation. Importing it imports no torch and no ray.

The five functions here, and the modules `losses`, `alignment`, `metrics` and `shards`, are what others may build on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dpt_bench.core.lazy import lazy

if TYPE_CHECKING:
    from dpt_bench.conversion import build
    from dpt_bench.evaluation import evaluate
    from dpt_bench.model import load_model
    from dpt_bench.predictors import load_predictor
    from dpt_bench.training import train

__all__ = ["build", "evaluate", "load_model", "load_predictor", "train"]

__getattr__ = lazy(
    __name__,
    {
        "build": ".conversion",
        "evaluate": ".evaluation",
        "load_model": ".model",
        "load_predictor": ".predictors",
        "train": ".training",
    },
)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
