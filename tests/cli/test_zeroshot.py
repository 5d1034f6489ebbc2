"""What `dpt-bench zeroshot` prints: every model and number of a wide suite on a narrow terminal."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dpt_bench.cli._expect import show_comparisons
from dpt_bench.cli._zeroshot import ZeroshotCall, _show, run_zeroshot
from dpt_bench.core.catalog import SUITES
from dpt_bench.core.errors import UsageError
from dpt_bench.evaluation import EvaluationReport
from dpt_bench.results import SummaryRow
from dpt_bench.results.expected import compare_with_published

METRICS = {
    "diw": "whdr",
    "eth3d": "absrel",
    "sintel": "absrel",
    "kitti": "delta_above_1_25",
    "nyu": "delta_above_1_25",
    "tum": "delta_above_1_25",
}


def row(model: str, dataset: str, mean: float) -> SummaryRow:
    facts: dict[str, object] = dict.fromkeys(SummaryRow.model_fields, "")
    facts |= {"model": model, "dataset": dataset, "metric": METRICS[dataset], "unit": "fraction", "better": "lower"}
    facts |= {"mean": mean, "ci_low": mean - 0.01, "ci_high": mean + 0.01, "on_board": True, "label": "partial"}
    facts |= {"n_images": 9, "n_skipped": 0, "n_flagged": 0, "trained_on_dataset": False, "resized_by": "suite"}
    return SummaryRow.model_validate({**facts, "suite": "midas", "suite_version": 1})


def report(models: tuple[str, ...], absent: dict[str, Path]) -> EvaluationReport:
    present = [dataset for dataset in METRICS if dataset not in absent]
    rows = [
        row(model, dataset, 0.2 + place / 10 + number / 100)
        for number, model in enumerate(models)
        for place, dataset in enumerate(present)
    ]
    files = (Path("out"), Path("out/summary.csv"), Path("out/leaderboard.csv"))
    return EvaluationReport("midas", 1, tuple(present), absent, (), len(rows), 0, 0, tuple(rows), *files)


@pytest.mark.parametrize(("columns", "tables"), [("80", 2), ("200", 1)])
def test_six_datasets(columns: str, tables: int, monkeypatch, capsys) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    models = ("baseline:constant", "a_checkpoint_with_a_long_name")
    _show(report(models, {}))
    shown = capsys.readouterr().out
    assert all(len(line) <= int(columns) for line in shown.splitlines())
    assert shown.count("model ") == tables
    assert shown.count("baseline:constant") == tables
    for number in range(2):
        for place in range(6):
            assert f"{0.2 + place / 10 + number / 100:.4f}" in shown
            assert f"{0.19 + place / 10 + number / 100:.3f}..{0.21 + place / 10 + number / 100:.3f}" in shown
    assert shown.count("delta_above_1_25") == 3


def test_two_models_of_one_name_have_a_row_each(monkeypatch, capsys) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    rows = [
        row("demo", "nyu", mean).model_copy(update={"checkpoint_sha256": digits * 32})
        for mean, digits in ((0.25, "ab"), (0.75, "cd"))
    ]
    _show(replace(report(("demo",), {}), summary=tuple(rows)))
    shown = capsys.readouterr().out.splitlines()
    assert [line.split() for line in shown if line.startswith("demo@")] == [
        ["demo@abababab", "0.2500"],
        ["demo@cdcdcdcd", "0.7500"],
    ]


def test_what_each_model_skipped_is_said(monkeypatch, capsys) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    shown = report(("one", "two"), {})
    facts = {"n_images": 7, "n_skipped": 2, "skips": "non-finite-prediction:2"}
    rows = [
        row.model_copy(update=facts) if (row.model, row.dataset) == ("one", "nyu") else row for row in shown.summary
    ]
    _show(replace(shown, summary=tuple(rows)))
    lines = capsys.readouterr().out.splitlines()
    assert "kitti: 9 images (partial)" in lines
    assert "nyu, one: 7 images, 2 skipped: non-finite-prediction:2 (partial)" in lines
    assert "nyu, two: 9 images (partial)" in lines


def test_absent_sets_have_a_line_each(monkeypatch, capsys) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    absent = {name: Path("data") / name for name in ("diw", "eth3d", "sintel")}
    _show(report(("baseline:ramp",), absent))
    lines = capsys.readouterr().out.splitlines()
    for name in absent:
        assert [line for line in lines if name in line] == [f"{name}: no folder data/{name}"]


def test_ours_beside_the_published_numbers(monkeypatch, capsys) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    rows = [
        row("Intel/dpt-large", dataset, mean)
        for dataset, mean in {"eth3d": 0.0892, "sintel": 0.3, "kitti": 0.5}.items()
    ]
    rows[2] = rows[2].model_copy(update={"metric": "delta_above_1_25", "label": "sample-world"})
    show_comparisons(compare_with_published(rows, "published"))
    shown = capsys.readouterr().out
    lines = shown.splitlines()
    assert all(len(line) <= 80 for line in lines)
    assert next(line.split() for line in lines if line.startswith("eth3d")) == [
        "eth3d", "absrel", "0.0892", "0.089", "+0.0002", "same",
    ]  # fmt: skip
    assert next(line.split() for line in lines if line.startswith("sintel"))[-2:] == ["0.270", "+0.0300"]
    assert "DPT (arXiv 2103.13413), Table 1" in shown
    said = " ".join(shown.split())
    assert "the pass is not stated" in said
    assert "kitti: rendered images of the sample world" in said
    show_comparisons([])
    assert "no published number" in capsys.readouterr().out


def test_an_expectation_that_cannot_be_met_is_refused_at_once(tmp_path) -> None:
    call = ZeroshotCall(
        models=("baseline:ramp",), data=str(tmp_path), out=tmp_path / "out", suite="moge", datasets=None,
        devices=("cpu",), precision="fp32", batch_size=1, limit=1, cache=None, cache_bytes=1, expect="published", executor=None,
        workers=None,
    )  # fmt: skip
    with pytest.raises(UsageError, match="nothing is published under the suite 'moge'"):
        run_zeroshot(call)
    assert not (tmp_path / "out").exists()


def test_an_expectation_of_a_suite_that_is_given_as_a_path(tmp_path) -> None:
    copy = tmp_path / "midas.toml"
    copy.write_text(SUITES.paths()["midas"].read_text())
    call = ZeroshotCall(
        models=("baseline:ramp",), data=str(tmp_path / "none"), out=tmp_path / "out", suite=str(copy), datasets=None,
        devices=("cpu",), precision="fp32", batch_size=1, limit=1, cache=None, cache_bytes=1, expect="published", executor=None,
        workers=None,
    )  # fmt: skip
    with pytest.raises(UsageError, match="no such folder of datasets"):  # nothing is wrong with the expectation
        run_zeroshot(call)
    with pytest.raises(UsageError, match="unknown published model 'DPT-Lrage'"):
        run_zeroshot(replace(call, expect="DPT-Lrage"))
    copy.rename(tmp_path / "mine.toml")
    with pytest.raises(UsageError, match="nothing is published under the suite 'mine'"):
        run_zeroshot(replace(call, suite=str(tmp_path / "mine.toml")))
