from __future__ import annotations

import csv
import io
import re

import pytest

from dpt_bench.core.catalog import MIXES
from dpt_bench.leaderboard import csv as wide_csv
from dpt_bench.leaderboard import latex, markdown
from dpt_bench.leaderboard.board import Row
from dpt_bench.leaderboard.table import build_board


def texts(row: Row) -> list[str | None]:
    return [cell.text if cell else None for cell in row.cells]


def test_published_rows_group_by_model_training_set_input_and_table(published, sources) -> None:
    rows = [
        published("A", "kitti", "0.1"),
        published("A", "nyu", "0.20"),
        published("A", "kitti", "0.3", input="height 512"),
        published("A", "kitti", "0.4", table="Table 2"),
    ]
    board = build_board(sources(rows))
    assert [texts(row) for row in board.published.rows] == [["10", "20"], ["30", None], ["40", None]]
    assert [row.source for row in board.published.rows] == ["Paper, Table 1", "Paper, Table 1", "Paper, Table 2"]
    assert not board.own.rows


def test_a_measured_row_stands_beside_published_ones_only_over_the_published_list(published, measured, sources) -> None:
    others = {"label": "partial", "keys_sha256": "2" * 64}
    rows = [
        measured("whole", "kitti", 0.1),
        measured("part", "kitti", 0.2, **others),
        measured("world", "kitti", 0.3, label="sample-world"),
    ]
    board = build_board(sources([published("A", "kitti", "0.5")], rows))
    assert [row.model for row in board.published.rows] == ["A", "whole"]
    assert [(row.model, row.labels) for row in board.own.rows] == [("part", ["partial"]), ("world", ["sample-world"])]


def test_a_list_that_is_complete_by_another_checksum_stands_apart(measured, sources) -> None:
    rows = [measured("A", "kitti", 0.1), measured("B", "kitti", 0.2, keys_sha256="2" * 64)]
    board = build_board(sources(measured=rows))
    assert [row.model for row in board.published.rows] == ["A"]
    assert [row.model for row in board.own.rows] == ["B"]


def test_a_published_row_over_another_list_is_on_no_board(published, measured, sources) -> None:
    rows = [published("A", "kitti", "0.5"), published("B", "kitti", "0.4", keys_sha256="3" * 64)]
    board = build_board(sources(rows, [measured("C", "kitti", 0.1)]))
    assert [row.model for row in board.published.rows] == ["A", "C"]


def test_each_measured_number_appears_once(published, measured, sources) -> None:
    rows = [measured("mine", "kitti", 0.1), measured("mine", "nyu", 0.2, label="partial")]
    board = build_board(sources([published("A", "kitti", "0.5"), published("A", "nyu", "0.5")], rows))
    (mine,) = (row for row in board.published.rows if row.model == "mine")
    assert texts(mine) == ["10", None]
    assert [texts(row) for row in board.own.rows] == [["20"]]
    assert [column.dataset for column in board.own.columns] == ["nyu"]


def test_models_of_one_name_and_two_checkpoints_are_two_rows(measured, sources) -> None:
    rows = [measured("A", "kitti", 0.1, checkpoint_sha256="a" * 64), measured("A", "kitti", 0.2)]
    assert len(build_board(sources(measured=rows)).published.rows) == 2


def test_a_cell_carries_interval_counts_and_marks(measured, sources) -> None:
    facts = {"n_images": 90, "n_skipped": 10, "skips": "no-valid-pixel:10", "trained_on_dataset": True}
    board = build_board(sources(measured=[measured("A", "kitti", 0.123456, **facts)]))
    (cell,) = board.published.rows[0].cells
    assert cell is not None
    assert (cell.value, cell.text) == (0.123456, "12.35")
    assert (cell.low, cell.high) == (pytest.approx(0.1111104), pytest.approx(0.1358016))
    assert (cell.num_images, cell.num_skipped, cell.note) == (90, 10, "skipped: no-valid-pixel:10")
    assert cell.trained_on_dataset


def test_a_model_without_a_scored_image_has_a_gap(measured, sources) -> None:
    board = build_board(sources(measured=[measured("A", "kitti", None), measured("B", "kitti", 0.1)]))
    assert [texts(row) for row in board.published.rows] == [[None], ["10.00"]]


def test_who_resized_is_told_where_it_is_not_the_suite(measured, sources) -> None:
    board = build_board(sources(measured=[measured("A", "kitti", 0.1, resized_by="own", resize_rule="518 squared")]))
    assert board.published.rows[0].input == "resized by the model: 518 squared"


def test_unverified_numbers_are_marked(published, sources) -> None:
    board = build_board(sources([published("A", "kitti", "0.5", status="from memory")]))
    (row,) = board.published.rows
    assert not row.verified
    assert row.cells[0] is not None
    assert row.cells[0].note == "(from memory)"


def test_ten_datasets_are_named_by_their_mix(measured, sources) -> None:
    members = [member.recipe for member in MIXES.load("mix6").members]
    others = {"all": members[::-1], "fewer": members[1:], "more": [*members, "kitti"], "none": []}
    rows = [measured(name, "tum", 0.2, trained_on=" + ".join(names)) for name, names in others.items()]
    board = build_board(sources([], rows))
    for text in (markdown.write(board), latex.write(board)):
        for name, names in others.items():
            (line,) = (line for line in text.splitlines() if re.search(rf"(^|\| ){name}\b", line))
            assert ("MIX 6" if name == "all" else " + ".join(names)) in line
    assert {row["trained_on"] for row in csv.DictReader(io.StringIO(wide_csv.write(board)))} == {
        " + ".join(names) for names in others.values()
    }, "data, not words"
