"""Predictors on a suite: read, predict, score, journal, and galleries of what came out."""

from dpt_bench.evaluation.options import EvaluationOptions, EvaluationReport
from dpt_bench.evaluation.run import evaluate
from dpt_bench.evaluation.shared import SharedRun, evaluate_shared

__all__ = ["EvaluationOptions", "EvaluationReport", "SharedRun", "evaluate", "evaluate_shared"]
