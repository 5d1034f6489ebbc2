"""Every suite gives a number for every image of the sample world, labelled as what it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from dpt_bench import evaluate
from dpt_bench.core.catalog import RECIPES, SUITES
from dpt_bench.core.kinds import DepthKind
from dpt_bench.evaluation import EvaluationOptions
from dpt_bench.predictors import load_predictor
from dpt_bench.readers import load_reader
from dpt_bench.results import read_results
from dpt_bench.scenes import scenes_for
from dpt_bench.scoring import required_kind

COUNT = 4


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world")
    for name in sorted({dataset.recipe for suite in SUITES.names() for dataset in SUITES.load(suite).datasets}):
        (folder / name).mkdir()
        load_reader(RECIPES.load(name)).write_example(
            folder / name, RECIPES.load(name), scenes_for(name, COUNT, seed=0)
        )
    return folder


@pytest.mark.parametrize("name", SUITES.names())
def test_each_image_has_a_number(name: str, world: Path, tmp_path: Path) -> None:
    suite = SUITES.load(name)
    wanted = {required_kind(dataset.for_prediction(DepthKind.AFFINE_DISPARITY)) for dataset in suite.datasets}
    model = load_predictor("baseline:ground" if DepthKind.METRIC_DEPTH in wanted else "baseline:ramp")
    said: list[str] = []

    class Listener:
        def start(self, task, total=None): ...
        def advance(self, task, steps=1, note="", seconds_left=None): ...
        def finish(self, task): ...
        def message(self, text):
            said.append(text)

    report = evaluate(model, name, world, tmp_path, options=EvaluationOptions(panels=0), progress=Listener())
    assert {row.dataset for row in report.summary} == {dataset.recipe for dataset in suite.datasets}
    for row in report.summary:
        assert (row.n_skipped, row.skips, row.label) == (0, "", "sample-world")
        assert row.n_images >= 1
        assert row.mean is not None
    assert all(row["n_valid"] > 0 for row in read_results(tmp_path).to_pylist())
    cropped = {
        dataset.recipe for dataset in suite.datasets if "nyu_eigen" in dataset.crop or dataset.input_crop != "none"
    }
    assert {text.split()[0] for text in said} == cropped, "a crop that is not the protocol's is said"
