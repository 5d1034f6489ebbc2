"""Image in, prediction out, with a declared kind: everything that can be evaluated, one origin a file."""

from dpt_bench.predictors._contract import Prediction, Predictor, PredictorOptions, Query
from dpt_bench.predictors._load import load_predictor

__all__ = ["Prediction", "Predictor", "PredictorOptions", "Query", "load_predictor"]
