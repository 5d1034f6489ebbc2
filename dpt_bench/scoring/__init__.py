"""Prediction and target -> numbers, for validation and evaluation alike: resize to the target, align, cap, measure."""

from dpt_bench.scoring.maps import Maps, aligned_maps
from dpt_bench.scoring.pairs import score_pairs
from dpt_bench.scoring.protocol import check_predictor, check_target, required_kind
from dpt_bench.scoring.score import Scored, score

__all__ = [
    "Maps",
    "Scored",
    "aligned_maps",
    "check_predictor",
    "check_target",
    "required_kind",
    "score",
    "score_pairs",
]
