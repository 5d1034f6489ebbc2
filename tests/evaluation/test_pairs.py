"""A set of point pairs from its files to the tables, beside the suite's other sets."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from dpt_bench import evaluate
from dpt_bench.core.catalog import RECIPES, SUITES
from dpt_bench.evaluation import EvaluationOptions
from dpt_bench.predictors import load_predictor
from dpt_bench.readers import load_reader
from dpt_bench.results import read_results
from dpt_bench.results.gallery import read_galleries
from dpt_bench.scenes import scenes_for

COUNT = 24
TABLES = ("results.parquet", "summary.csv", "leaderboard.csv")
BASELINES = ("baseline:constant", "baseline:ramp")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("eval")
    (folder / "diw").mkdir()
    recipe = RECIPES.load("diw")
    load_reader(recipe).write_example(folder / "diw", recipe, scenes_for("diw", COUNT, seed=0))
    return folder


def lines_by_key(data: Path) -> dict[str, list[str]]:
    lines = (data / "diw" / "DIW_Annotations" / "DIW_test.csv").read_text().split()
    keys = (line.removeprefix("./").removesuffix(".thumb") for line in lines[::2])
    return {key: line.split(",") for key, line in zip(keys, lines[1::2], strict=True)}


def test_both_baselines_on_the_suite(data: Path, tmp_path: Path) -> None:
    models = [load_predictor(name) for name in BASELINES]
    report = evaluate(models, "midas", data, tmp_path, options=EvaluationOptions(batch_size=4))
    assert report.evaluated == ("diw",)
    assert set(report.absent) == {"eth3d", "sintel", "kitti", "nyu", "tum"}
    assert report.missing == ()
    rows = {(row["model"], row["key"]): row for row in read_results(tmp_path).to_pylist()}
    assert len(rows) == 2 * COUNT
    for key, (ya, _, yb, _, relation, *_) in lines_by_key(data).items():
        constant, ramp = (rows[model, key] for model in BASELINES)
        assert (constant["value"], constant["flags"]) == (1.0, ["tied-pair"])
        tied = ya == yb
        right = not tied and (int(ya) < int(yb)) == (relation == ">")  # the ramp says that what is higher is farther
        assert ramp["value"] == (0.0 if right else 1.0), key
        assert ramp["flags"] == (["tied-pair"] if tied else [])
        for row in (constant, ramp):
            assert (row["metric"], row["unit"], row["alignment"], row["n_valid"]) == ("whdr", "fraction", "none", 1)
            assert (row["scale"], row["shift"], row["skipped"]) == (None, None, None)
            assert row["input_height"] > 0
    summary = {row.model: row for row in report.summary}
    assert summary["baseline:constant"].mean == 1.0
    assert summary["baseline:constant"].flags == f"tied-pair:{COUNT}"
    values = [row["value"] for (model, _), row in rows.items() if model == "baseline:ramp"]
    assert summary["baseline:ramp"].mean == pytest.approx(sum(values) / COUNT)
    assert 0 < sum(values) < COUNT
    assert {(row.scored_as, row.label, row.n_images) for row in report.summary} == {("ordinal", "sample-world", COUNT)}
    with (tmp_path / "leaderboard.csv").open(newline="") as file:
        assert {row["model"]: float(row["diw"]) for row in csv.DictReader(file)} == {
            name: pytest.approx(row.mean) for name, row in summary.items()
        }
    assert read_galleries(tmp_path) == {}, "there is no map to draw"


def test_stopped_and_resumed(data: Path, make_fake, tmp_path: Path) -> None:
    options = EvaluationOptions(batch_size=2)
    evaluate(make_fake(), "midas", data, tmp_path / "whole", options=options)
    asked: list[str] = []

    def stop(query, values):
        asked.append(query.key)
        if len(asked) > COUNT // 2:
            raise RuntimeError("stopped")
        return values

    with pytest.raises(RuntimeError, match="stopped"):
        evaluate(make_fake(spoil=stop), "midas", data, tmp_path / "out", options=options)
    fake = make_fake()
    report = evaluate(fake, "midas", data, tmp_path / "out", options=options)
    assert 0 < report.n_resumed < COUNT
    assert (report.n_new, len(fake.asked)) == (COUNT - report.n_resumed, report.n_new)
    for name in TABLES:
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    again = make_fake()
    assert evaluate(again, "midas", data, tmp_path / "out", options=options).n_new == 0
    assert again.asked == []


def test_failures_are_rows(data: Path, make_fake, tmp_path: Path) -> None:
    keys = sorted(lines_by_key(data))
    broken = make_fake(spoil=lambda query, values: np.full_like(values, np.nan) if query.key == keys[0] else values)
    report = evaluate(broken, "midas", data, tmp_path, options=EvaluationOptions(limit=3))
    assert [(row.n_images, row.n_skipped, row.skips) for row in report.summary] == [(2, 1, "non-finite-prediction:1")]


def test_the_suite_tells_the_rule_of_the_set(data: Path, make_fake, tmp_path: Path) -> None:
    fake = make_fake()
    evaluate(fake, "midas", data, tmp_path, options=EvaluationOptions(limit=2))
    assert set(fake.rules) == {SUITES.load("midas").datasets[0].resize}
