"""Two measured models, image by image."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dpt_bench.cli._compare import run_compare
from dpt_bench.core.errors import UnknownNameError, UsageError
from dpt_bench.leaderboard.compare import compare_models
from dpt_bench.results import bootstrap_interval, read_results


@pytest.fixture
def results(tmp_path: Path, write_results) -> Path:
    models = {"good": {"kitti": 0.1, "nyu": 0.2}, "bad": {"kitti": 0.3, "nyu": 0.21}, "part": {"kitti": 0.2}}
    return write_results(tmp_path / "results", models)


def values(folder: Path, model: str, dataset: str, metric: str) -> dict[str, float]:
    return {
        row["key"]: row["value"]
        for row in read_results(folder).to_pylist()
        if (row["model"], row["dataset"], row["metric"]) == (model, dataset, metric) and row["value"] is not None
    }


def test_the_difference_is_paired(results: Path) -> None:
    compared = compare_models([results], "good", "bad")
    assert len(compared.cells) == 4
    for cell in compared.cells:
        one, other = (values(results, model, cell.row.dataset, cell.row.metric) for model in ("good", "bad"))
        difference = np.array([one[key] - other[key] for key in sorted(one)])
        assert cell.difference.mean == pytest.approx(difference.mean())
        assert cell.difference.mean == pytest.approx(cell.first_mean - cell.second_mean)
        assert cell.difference.interval == pytest.approx(bootstrap_interval(difference))
        assert cell.difference.n_images == len(one) == 19
        assert cell.n_only_one == 0
        assert cell.better == ("first" if cell.row.dataset == "kitti" else None)
    first = [cell for cell in compared.cells if cell.row.on_board]
    expected = 1 - np.mean([cell.first_mean / cell.second_mean for cell in first])
    assert compared.improvement == pytest.approx(expected)
    turned = compare_models([results], "bad", "good")
    assert {cell.better for cell in turned.cells if cell.row.dataset == "kitti"} == {"second"}


def test_only_what_both_have(results: Path) -> None:
    compared = compare_models([results], "part", "bad")
    assert {cell.row.dataset for cell in compared.cells} == {"kitti"}


def test_two_folders(tmp_path: Path, write_results, results: Path) -> None:
    other = write_results(tmp_path / "other", {"third": {"kitti": 0.1}}, complete=True)
    compared = compare_models([results, other], "good", "third")
    assert {cell.n_only_one for cell in compared.cells} == {1}, "one image was skipped by the first alone"
    assert {cell.difference.n_images for cell in compared.cells} == {19}


def test_names_that_are_wrong_or_have_nothing_in_common(tmp_path: Path, write_results, results: Path) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'good'"):
        compare_models([results], "goood", "bad")
    other = write_results(tmp_path / "other", {"third": {"kitti": 0.1}}, suite="midas-minimal")
    with pytest.raises(UsageError, match="share no image"):
        compare_models([results, other], "good", "third")


@pytest.fixture
def rendered(tmp_path: Path, results: Path) -> Path:
    """The same image names, rendered."""
    folder = tmp_path / "rendered"
    shutil.copytree(results, folder)
    summary = (folder / "summary.csv").read_text()
    table = pq.read_table(folder / "results.parquet")
    names = pa.array([f"rendered-{name}" for name in table["model"].to_pylist()], pa.string())
    pq.write_table(table.set_column(0, table.schema.field("model"), names), folder / "results.parquet")
    for name in ("good", "bad", "part"):
        summary = summary.replace(f"\n{name},", f"\nrendered-{name},")
    for label in ("complete", "partial"):
        summary = summary.replace(f",{label},", ",sample-world,")
    (folder / "summary.csv").write_text(summary)
    return folder


def test_rendered_images_stand_beside_rendered_ones_alone(results: Path, rendered: Path, capsys) -> None:
    with pytest.raises(UsageError, match="share no image") as caught:
        compare_models([results, rendered], "good", "rendered-bad")
    assert "sample world" in str(caught.value)
    run_compare([results, rendered], "rendered-good", "rendered-bad")
    assert capsys.readouterr().out.count("sample-world") == 4
    run_compare([results, rendered], "good", "bad")
    assert "sample-world" not in capsys.readouterr().out


def test_what_is_printed_fits_a_terminal(results: Path, capsys, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    run_compare([results], "good", "bad")
    shown = capsys.readouterr().out
    assert all(len(line) <= 80 for line in shown.splitlines())
    assert "A: good\nB: bad" in shown
    assert "unresolved" in shown
    assert "improvement of A over B: +" in shown
    assert "delta_above_1_25" in shown
