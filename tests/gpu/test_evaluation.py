"""The same scores from a network on a CUDA device as on the CPU, end to end."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from dpt_bench.core.catalog import RECIPES
from dpt_bench.evaluation import EvaluationOptions, evaluate
from dpt_bench.model import VARIANTS, build_model
from dpt_bench.model.checkpoint import Checkpoint, save_checkpoint
from dpt_bench.predictors import PredictorOptions, load_predictor
from dpt_bench.readers import load_reader
from dpt_bench.results import read_results
from dpt_bench.scenes import scenes_for

pytestmark = pytest.mark.gpu


def test_scores_are_those_of_the_cpu(tmp_path: Path, exact: torch.device) -> None:
    for name in ("kitti", "nyu"):
        (tmp_path / "data" / name).mkdir(parents=True)
        recipe = RECIPES.load(name)
        load_reader(recipe).write_example(tmp_path / "data" / name, recipe, scenes_for(name, 4, seed=0))
    torch.manual_seed(0)
    spec = VARIANTS["dpt-tiny"]
    save_checkpoint(tmp_path / "net.pt", Checkpoint(spec=spec, weights=build_model(spec).state_dict()))
    scores = []
    for place, device in (("here", "cpu"), ("there", str(exact))):
        predictor = load_predictor(str(tmp_path / "net.pt"), PredictorOptions(device=device))
        out = tmp_path / place
        evaluate(predictor, "midas", tmp_path / "data", out, options=EvaluationOptions(panels=0))
        rows = read_results(out).to_pylist()
        scores.append({(row["dataset"], row["key"], row["metric"]): row["value"] for row in rows})
    assert len(scores[0]) == 2 * 4 * 3
    for name, value in scores[0].items():
        assert scores[1][name] == pytest.approx(value, rel=1e-4, abs=1e-4), name
