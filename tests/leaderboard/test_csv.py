from __future__ import annotations

import csv
import io

import pytest

from dpt_bench.leaderboard import csv as board_csv
from dpt_bench.leaderboard.board import Board
from dpt_bench.leaderboard.table import build_board


def read(board: Board) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(board_csv.write(board))))


@pytest.fixture
def board(published, measured, sources) -> Board:
    rows = [published("A", "kitti", "0.0846"), published("A", "nyu", "0.0832", trained_on_dataset=True)]
    mine = [
        measured('my "model", v2', "kitti", 0.123456789, n_skipped=1),
        measured("world", "nyu", 0.5, label="sample-world"),
    ]
    return build_board(sources(rows, mine))


def test_one_row_a_model_and_one_column_a_dataset_in_fractions(board: Board) -> None:
    rows = {row["model"]: row for row in read(board)}
    assert (rows["A"]["kitti"], rows["A"]["nyu"], rows["A"]["kitti_unit"]) == ("0.0846", "0.0832", "fraction")
    assert rows['my "model", v2']["kitti"] == "0.123456789"
    assert rows['my "model", v2']["nyu"] == ""


def test_what_stands_behind_a_number(board: Board) -> None:
    rows = {row["model"]: row for row in read(board)}
    mine = rows['my "model", v2']
    assert float(mine["kitti_ci_low"]) < 0.123456789 < float(mine["kitti_ci_high"])
    assert (mine["kitti_n_images"], mine["kitti_n_skipped"], mine["kitti_label"]) == ("100", "1", "complete")
    assert (rows["A"]["kitti_ci_low"], rows["A"]["kitti_label"]) == ("", "published")
    assert (rows["A"]["kitti_trained_on_dataset"], rows["A"]["nyu_trained_on_dataset"]) == ("no", "yes")


def test_sections_sources_and_improvements(board: Board) -> None:
    rows = {row["model"]: row for row in read(board)}
    assert {name: row["section"] for name, row in rows.items()} == {
        "A": "published",
        'my "model", v2': "published",
        "world": "own",
    }
    assert (rows["A"]["source"], rows["A"]["trained_on"], rows["A"]["status"]) == (
        "Paper, Table 1",
        "MIX 6",
        "verified",
    )
    assert (rows["A"]["improvement"], rows["A"]["improvement_over"]) == ("0.0", "A")
    assert rows["world"]["improvement"] == ""
    assert {(row["suite"], row["suite_version"]) for row in rows.values()} == {("toy", "1")}
