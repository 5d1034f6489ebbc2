"""What `dpt-bench zeroshot` prints: every model and number of a wide suite on a narrow terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from dpt_bench.cli._zeroshot import _show
from dpt_bench.evaluation import EvaluationReport
from dpt_bench.results import SummaryRow

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
    return EvaluationReport("midas", 1, tuple(present), absent, (), len(rows), 0, tuple(rows), *files)


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


def test_absent_sets_have_a_line_each(monkeypatch, capsys) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    absent = {name: Path("data") / name for name in ("diw", "eth3d", "sintel")}
    _show(report(("baseline:ramp",), absent))
    lines = capsys.readouterr().out.splitlines()
    for name in absent:
        assert [line for line in lines if name in line] == [f"{name}: no folder data/{name}"]
