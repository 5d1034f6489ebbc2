"""From files to tables: the numbers, and what happens to images that fail."""

from __future__ import annotations

import csv
import threading
from pathlib import Path

import numpy as np
import pytest

from dpt_bench import evaluate
from dpt_bench.core.errors import SampleError
from dpt_bench.core.kinds import DepthKind
from dpt_bench.core.provenance import sha256_of_keys
from dpt_bench.evaluation import EvaluationOptions
from dpt_bench.predictors import load_predictor
from dpt_bench.results import read_results
from dpt_bench.scoring import score

CAPS = {"outside": 80.0, "inside": 10.0}
QUICK = EvaluationOptions(panels=0)


def rows_by_key(folder: Path) -> dict[tuple[str, str, str, str], dict]:
    table = read_results(folder).to_pylist()
    return {(row["model"], row["dataset"], row["key"], row["metric"]): row for row in table}


@pytest.mark.parametrize(("batch_size", "threads"), [(1, 1), (2, 3), (8, 2)])
def test_every_number_is_that_of_the_independent_implementation(
    world, make_fake, oracle, tmp_path, batch_size, threads
) -> None:
    options = EvaluationOptions(panels=0, batch_size=batch_size, threads=threads)
    models = [make_fake(), load_predictor("baseline:constant"), load_predictor("baseline:ramp")]
    report = evaluate(models, world.suite, world.data, tmp_path / "out", options=options)
    rows = rows_by_key(tmp_path / "out")
    assert len(rows) == 3 * len(world.arrays) * 3
    for (dataset, key), (image, depth_m) in world.arrays.items():
        for model in models:
            prediction = model.values(image) if model.name == "fake" else model(image)
            expected = oracle.midas_scores(prediction, depth_m, np.isfinite(depth_m), cap_m=CAPS[dataset])
            for metric, value in expected.items():
                assert rows[model.name, dataset, key, metric]["value"] == pytest.approx(value, rel=1e-9, abs=1e-9)
    for summary in report.summary:
        values = [
            rows[summary.model, summary.dataset, key, summary.metric]["value"] for key in world.keys(summary.dataset)
        ]
        assert summary.mean == pytest.approx(np.mean(values))
        assert summary.n_images == len(values)
        assert summary.keys_sha256 == sha256_of_keys(world.keys(summary.dataset))
    assert report.n_new == 3 * len(world.arrays)


def test_the_constant_baseline_is_the_best_constant_disparity(world, tmp_path) -> None:
    evaluate(load_predictor("baseline:constant"), world.suite, world.data, tmp_path, options=QUICK)
    for (_, dataset, key, metric), row in rows_by_key(tmp_path).items():
        depth_m = world.arrays[dataset, key][1].astype(np.float64)
        z = depth_m[np.isfinite(depth_m)]
        best = 1 / max(np.mean(1 / z), 1 / CAPS[dataset])
        assert row["flags"] == ["degenerate-fit"]
        assert row["scale"] == 0
        assert row["shift"] == pytest.approx(np.mean(1 / z))
        if metric == "absrel":
            assert row["value"] == pytest.approx(np.mean(np.abs(best - z) / z))


def test_rows_say_how_they_came_about(world, make_fake, tmp_path) -> None:
    own = make_fake(name="own", preprocessing="own", checkpoint_sha256=None)
    evaluate([make_fake(), own], world.suite, world.data, tmp_path, options=QUICK)
    for (model, dataset, key, metric), row in rows_by_key(tmp_path).items():
        assert (row["suite"], row["suite_version"]) == ("mine", 1)
        assert (row["input_height"], row["input_width"]) == (32, 64)
        assert row["resized_by"] == ("own" if model == "own" else "suite")
        assert (row["alignment_space"], row["alignment"]) == ("disparity", "scale_and_shift")
        assert row["n_valid"] == np.isfinite(world.arrays[dataset, key][1]).sum()
        assert row["unit"] == ("m" if metric == "rmse" else "fraction")
        if row["unit"] == "fraction":
            assert 0 <= row["value"] < 1, "trap 24: fractions, never percents"
    with (tmp_path / "leaderboard.csv").open(newline="") as file:
        board = {row["model"]: row for row in csv.DictReader(file)}
    assert set(board) == {"fake", "own"}
    assert list(board["own"])[:3] == ["model", "outside", "inside"]
    assert board["own"]["inside_metric"] == "delta_above_1_25"
    assert (board["own"]["inside_trained_on_dataset"], board["own"]["outside_trained_on_dataset"]) == ("yes", "no")


def test_the_suite_hands_its_rule_to_the_predictor(world, make_fake, tmp_path) -> None:
    fake = make_fake()
    evaluate(fake, world.suite, world.data, tmp_path, options=QUICK)
    assert {(rule.side, rule.size) for rule in fake.rules} == {("longer", 96)}


def test_images_of_one_size_are_predicted_together(world, make_fake, tmp_path) -> None:
    fake = make_fake()
    evaluate(fake, world.suite, world.data, tmp_path, options=EvaluationOptions(panels=0, batch_size=4))
    assert max(fake.batches) == 4
    assert len(fake.asked) == len(set(fake.asked)) == len(world.arrays)


def test_a_batch_is_scored_while_the_next_is_predicted(world, make_fake, tmp_path, monkeypatch) -> None:
    """And holds its own numbers by then: this predictor writes every prediction into the same memory."""
    undisturbed = evaluate(make_fake(), world.suite, world.data, tmp_path / "whole", options=QUICK)
    calls, second_call, memory = [], threading.Event(), {}

    def into_the_same_memory(query, values):
        calls.append(query.key)
        if len(calls) == 2:
            second_call.set()
        kept = memory.setdefault(values.shape, np.empty_like(values))
        kept[:] = values
        return kept

    def score_late(*arguments):
        assert second_call.wait(30), "the next image is not predicted before this one is scored"
        return score(*arguments)

    monkeypatch.setattr("dpt_bench.evaluation.work.score", score_late)
    options = EvaluationOptions(panels=0, batch_size=1)
    report = evaluate(make_fake(spoil=into_the_same_memory), world.suite, world.data, tmp_path / "out", options=options)
    assert report.summary == undisturbed.summary


def test_a_stronger_kind_is_marked(world, make_fake, tmp_path) -> None:
    """Trap 23: metric depth scored with scale and shift free says so, and is converted by 1/z first."""
    metric = make_fake(name="metric", kind=DepthKind.METRIC_DEPTH, spoil=lambda query, values: 1 / (values + 1))
    affine = make_fake(name="affine", spoil=lambda query, values: values + 1)
    report = evaluate([metric, affine], world.suite, world.data, tmp_path, options=QUICK)
    kinds = {row.model: (row.kind, row.scored_as) for row in report.summary}
    assert kinds == {"metric": ("metric_depth", "affine_disparity"), "affine": ("affine_disparity", "affine_disparity")}
    means = {(row.model, row.dataset, row.metric): row.mean for row in report.summary}
    for (model, dataset, name), mean in means.items():
        assert mean == pytest.approx(means["affine", dataset, name], rel=1e-4), model
    assert {row["kind"] for row in rows_by_key(tmp_path).values() if row["model"] == "metric"} == {"metric_depth"}


def test_every_failure_is_a_row_with_its_reason(world, make_fake, tmp_path) -> None:
    """Traps 25 and 26, and files that cannot be read."""
    keys = world.keys("inside")
    (world.data / "inside" / f"{keys[0]}.npz").write_bytes(b"torn")
    image, depth_m = world.arrays["inside", keys[1]]
    world.add("inside", keys[1], image, np.full_like(depth_m, np.nan))

    def spoil(query, values):
        if query.key == keys[2]:
            raise SampleError("too-dark", "nothing to see")
        if query.key == keys[3]:
            return np.full_like(values, np.nan)
        return -values if query.key == keys[4] else values

    report = evaluate(make_fake(spoil=spoil), world.suite, world.data, tmp_path / "out", options=QUICK)
    rows = {
        key: row
        for (_, dataset, key, metric), row in rows_by_key(tmp_path / "out").items()
        if (dataset, metric) == ("inside", "absrel")
    }
    reasons = {key: rows[key]["skipped"] for key in keys}
    assert reasons == {
        keys[0]: "corrupt-file",
        keys[1]: "no-valid-pixel",
        keys[2]: "too-dark",
        keys[3]: "non-finite-prediction",
        **dict.fromkeys(keys[4:]),
    }
    assert all(rows[key]["message"] for key in keys[:4])
    assert all(rows[key]["value"] is None for key in keys[:4])
    assert rows[keys[4]]["scale"] * rows[keys[5]]["scale"] < 0
    inside = next(row for row in report.summary if row.dataset == "inside" and row.metric == "absrel")
    assert (inside.n_images, inside.n_skipped) == (3, 4)
    assert inside.skips == "corrupt-file:1 no-valid-pixel:1 non-finite-prediction:1 too-dark:1"
    assert np.isfinite(inside.mean)
    assert inside.keys_sha256 == sha256_of_keys(keys)


def test_labels(world, make_fake, tmp_path) -> None:
    keys_sha256 = sha256_of_keys(world.keys("inside"))
    recipe = world.folder / "inside.toml"
    recipe.write_text(recipe.read_text() + f'keys_sha256 = "{keys_sha256}"\n')

    def labels(out: str, **options) -> dict[str, str]:
        chosen = EvaluationOptions(panels=0, **options)
        report = evaluate(make_fake(), world.suite, world.data, tmp_path / out, options=chosen)
        return {row.dataset: row.label for row in report.summary}

    assert labels("a") == {"inside": "complete", "outside": "partial"}
    assert labels("b", limit=3) == {"inside": "partial", "outside": "partial"}
    (world.data / "inside" / "SAMPLE_WORLD.json").write_text("{}")
    assert labels("c") == {"inside": "sample-world", "outside": "partial"}
    assert labels("d", datasets=("outside",)) == {"outside": "partial"}


def test_a_plain_predictor_and_plain_strings_do(world, make_fake, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    report = evaluate(make_fake(), str(world.suite), str(world.data), options=QUICK)
    assert report.results == Path("results")
    assert (tmp_path / "results" / "results.parquet").exists()
    assert report.missing == ("sintel",)
