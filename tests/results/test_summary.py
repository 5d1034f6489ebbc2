"""Means, counts and labels; the long and the wide CSV."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from dpt_bench.core.errors import DataError, UsageError
from dpt_bench.core.provenance import sha256_of_keys
from dpt_bench.results import read_summary
from dpt_bench.results.board import write_board
from dpt_bench.results.summary import summarise, write_summary


def test_the_mean_is_over_images_not_pixels(make_cell, make_result) -> None:
    """Trap 7: an image with a thousand times the valid pixels weighs no more than another."""
    cell = make_cell()
    row = summarise([cell], [make_result(cell, "a", 0.1, n_valid=10), make_result(cell, "b", 0.3, n_valid=10_000)])[0]
    assert row.mean == pytest.approx(0.2)
    assert (row.n_images, row.n_skipped, row.unit) == (2, 0, "fraction")
    assert row.ci_low == pytest.approx(0.1)
    assert row.ci_high == pytest.approx(0.3)


def test_skipped_images_are_counted_and_leave_the_mean_a_number(make_cell, make_result) -> None:
    """Trap 26: an image without a valid pixel makes no NaN."""
    cell = make_cell()
    results = [
        make_result(cell, "a", 0.1),
        make_result(cell, "b", None, skipped="no-valid-pixel"),
        make_result(cell, "c", None, skipped="corrupt-file"),
        make_result(cell, "d", 0.2, flags=("negative-scale", "non-finite-prediction")),
    ]
    row = summarise([cell], results)[0]
    assert row.mean == pytest.approx(0.15)
    assert (row.n_images, row.n_skipped, row.n_flagged) == (2, 2, 1)
    assert row.skips == "corrupt-file:1 no-valid-pixel:1"
    assert row.flags == "negative-scale:1 non-finite-prediction:1"


def test_a_cell_without_a_scored_image_has_no_mean(make_cell, make_result) -> None:
    cell = make_cell()
    row = summarise([cell], [make_result(cell, "a", None, skipped="corrupt-file")])[0]
    assert (row.mean, row.ci_low, row.n_images, row.n_skipped) == (None, None, 0, 1)


def test_labels(make_cell, make_result) -> None:
    published = sha256_of_keys(["a", "b"])
    whole = make_cell(published_keys_sha256=published)

    def label(cell, *results) -> str:
        return summarise([cell], results)[0].label

    a, b = make_result(whole, "a"), make_result(whole, "b")
    assert label(whole, b, a) == "complete"
    assert label(whole, a) == "partial"
    assert label(whole, a, b, make_result(whole, "c")) == "partial"
    assert label(make_cell(), a, b) == "partial", "no published list to compare with"
    assert label(make_cell(published_keys_sha256=published, sample_world=True), a, b) == "sample-world"
    assert label(whole, a, make_result(whole, "b", None, skipped="no-valid-pixel")) == "complete"
    assert label(whole, a, make_result(whole, "b", None, skipped="corrupt-file")) == "partial"
    assert label(whole, a, make_result(whole, "b", None, skipped="non-finite-prediction")) == "partial"


def test_summary_csv_round_trips(tmp_path: Path, make_cell, make_result) -> None:
    cells = [make_cell(), make_cell(dataset="megadepth", position=1, checkpoint_sha256=None, model='a, "b"')]
    results = [make_result(cell, key, 0.1 + 0.2) for cell in cells for key in "abc"]
    rows = summarise(cells, [*results, make_result(cells[1], "d", None, skipped="x")])
    write_summary(tmp_path / "summary.csv", rows)
    assert read_summary(tmp_path) == rows
    assert [row.on_board for row in rows] == [True, False, True, False]
    assert [row.trained_on_dataset for row in rows] == [False, False, True, True]
    assert rows[0].trained_on == "megadepth + redweb"


def test_a_missing_or_damaged_summary(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no results summary"):
        read_summary(tmp_path)
    (tmp_path / "summary.csv").write_text("model,dataset\nx,y\n")
    with pytest.raises(DataError, match="damaged"):
        read_summary(tmp_path)


def test_the_wide_table(tmp_path: Path, make_cell, make_result) -> None:
    """One row a model, one column a dataset in the suite's order; a model without a dataset has an empty cell."""
    cells = [
        make_cell(),
        make_cell(model="baseline:ramp", checkpoint_sha256=None, trained_on=()),
        make_cell(dataset="tum", position=2),
    ]
    results = [make_result(cell, key, 0.5) for cell in cells for key in "ab"]
    write_board(tmp_path / "leaderboard.csv", summarise(cells, results))
    with (tmp_path / "leaderboard.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["model"] for row in rows] == ["mine", "baseline:ramp"]
    assert list(rows[0])[:4] == ["model", "kitti", "tum", "trained_on"]
    assert (rows[0]["kitti"], rows[0]["kitti_metric"], rows[0]["kitti_label"]) == ("0.5", "delta_above_1_25", "partial")
    assert rows[0]["kitti_unit"] == "fraction"
    assert rows[1]["tum"] == ""
    assert rows[0]["trained_on"] == "megadepth + redweb"
    assert {(row["improvement"], row["improvement_over"]) for row in rows[1:]} == {("", "")}, "tum is missing there"


def test_improvements_and_the_best_in_the_wide_table(tmp_path: Path, make_cell, make_result) -> None:
    """As the papers' tables: the mean over datasets of how much lower the errors are than the reference's."""
    errors = {"first": (0.4, 0.2), "second": (0.2, 0.3), "third": (0.1, None)}
    cells = [
        make_cell(model=model, dataset=dataset, position=place)
        for model in errors
        for place, dataset in enumerate(("kitti", "tum"))
    ]
    results = [
        make_result(cell, key, value) if value is not None else make_result(cell, key, None, skipped="corrupt-file")
        for cell in cells
        for value in [errors[cell.model][cell.position]]
        for key in "ab"
    ]
    write_board(tmp_path / "leaderboard.csv", summarise(cells, results))
    with (tmp_path / "leaderboard.csv").open(newline="") as file:
        rows = {row["model"]: row for row in csv.DictReader(file)}
    assert [row["improvement_over"] for row in rows.values()] == ["first", "first", ""]
    assert float(rows["first"]["improvement"]) == 0
    assert float(rows["second"]["improvement"]) == pytest.approx(1 - (0.5 + 1.5) / 2)
    assert [row["kitti_best"] for row in rows.values()] == ["no", "no", "yes"]
    assert [row["tum_best"] for row in rows.values()] == ["yes", "no", "no"]
    assert (rows["third"]["tum"], rows["third"]["tum_skips"], rows["third"]["improvement"]) == (
        "",
        "corrupt-file:2",
        "",
    )
    assert rows["second"]["tum_keys_sha256"] == sha256_of_keys("ab")
