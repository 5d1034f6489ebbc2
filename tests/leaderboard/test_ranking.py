from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpt_bench.leaderboard.board import Board, Cell, Row
from dpt_bench.leaderboard.columns import Column
from dpt_bench.leaderboard.ranking import rank
from dpt_bench.leaderboard.table import build_board


def best(board: Board) -> set[tuple[str, str]]:
    return {
        (row.model, column.name)
        for section, _ in board.sections
        for row in section.rows
        for column, cell in zip(section.columns, row.cells, strict=True)
        if cell and cell.best
    }


def test_the_best_of_a_column_is_marked_and_ties_share_it(published, sources) -> None:
    rows = [published(name, "kitti", value) for name, value in (("A", "0.3"), ("B", "0.1"), ("C", "0.1"))]
    assert best(build_board(sources(rows))) == {("B", "kitti"), ("C", "kitti")}


def test_higher_is_better_where_the_metric_says_so(published, sources) -> None:
    rows = [
        published(name, "nyu", value, metric="delta_1_25", better="higher")
        for name, value in (("A", ".8"), ("B", ".9"))
    ]
    assert best(build_board(sources(rows))) == {("B", "nyu")}


def test_models_that_trained_on_the_data_are_not_ranked_unless_all_did(published, sources) -> None:
    seen = published("seen", "kitti", "0.1", trained_on_dataset=True)
    assert best(build_board(sources([seen, published("A", "kitti", "0.2"), published("B", "kitti", "0.3")]))) == {
        ("A", "kitti")
    }
    also = published("also", "kitti", "0.2", trained_on_dataset=True)
    assert best(build_board(sources([seen, also]))) == {("seen", "kitti")}


def test_nothing_is_best_alone_or_over_several_lists(measured, sources) -> None:
    alone = [measured("A", "kitti", 0.1, label="partial", keys_sha256="2" * 64)]
    assert not best(build_board(sources(measured=alone)))
    others = [*alone, measured("B", "kitti", 0.2, label="partial", keys_sha256="3" * 64)]
    assert not best(build_board(sources(measured=others)))
    same = [*alone, measured("B", "kitti", 0.2, label="partial", keys_sha256="2" * 64)]
    assert best(build_board(sources(measured=same))) == {("A", "kitti")}


def two_datasets(published) -> list:
    numbers = {"base": ("0.2", "0.4"), "better": ("0.1", "0.3"), "worse": ("0.4", "0.4")}
    return [
        published(model, dataset, value)
        for model, values in numbers.items()
        for dataset, value in zip(("kitti", "nyu"), values, strict=True)
    ]


def test_improvement_is_one_minus_the_mean_ratio_to_the_reference(published, sources) -> None:
    board = build_board(sources(two_datasets(published)))
    assert board.published.reference == "base"
    assert {row.model: row.improvement for row in board.published.rows} == {
        "better": pytest.approx(1 - (0.5 + 0.75) / 2),
        "base": 0.0,
        "worse": pytest.approx(-0.5),
    }
    assert [row.model for row in board.published.rows] == ["better", "base", "worse"]


def test_another_reference(published, sources) -> None:
    board = build_board(sources(two_datasets(published)), reference="worse")
    assert board.published.reference == "worse"
    assert board.published.rows[0].improvement == pytest.approx(1 - (0.25 + 0.75) / 2)


def test_a_row_with_a_gap_has_no_improvement_but_stands_where_its_datasets_put_it(published, sources) -> None:
    rows = [*two_datasets(published), published("half", "kitti", "0.15")]
    found = build_board(sources(rows)).published.rows
    assert [(row.model, row.improvement is None) for row in found] == [
        ("better", False),
        ("half", True),
        ("base", False),
        ("worse", False),
    ]


def test_no_improvement_over_other_images(measured, sources) -> None:
    rows = [
        measured(model, dataset, 0.1, label="partial", keys_sha256=sha * 64)
        for model, sha in (("A", "2"), ("B", "3"))
        for dataset in ("kitti", "nyu")
    ]
    found = {row.model: row.improvement for row in build_board(sources(measured=rows)).own.rows}
    assert found == {"A": 0.0, "B": None}


def test_no_improvement_where_more_is_better_or_with_one_dataset(published, sources) -> None:
    one = build_board(sources([published("A", "kitti", "0.1"), published("B", "kitti", "0.2")]))
    assert one.published.reference is None
    rows = [published(m, d, "0.9", metric="delta_1_25", better="higher") for m in "AB" for d in ("kitti", "nyu")]
    assert build_board(sources(rows)).published.reference is None


COLUMNS = tuple(
    Column(
        name,
        "absrel",
        name,
        "AbsRel",
        "fraction",
        higher_is_better=False,
        num_images=1,
        keys_sha256=None,
        decimals=3,
        first=True,
    )
    for name in ("a", "b")
)
cells = st.none() | st.builds(
    Cell,
    value=st.floats(0, 1),
    text=st.just("x"),
    trained_on_dataset=st.booleans(),
    keys_sha256=st.sampled_from([None, "l"]),
)
rows = st.lists(
    st.builds(Row, model=st.text(), trained_on=st.just(""), source=st.just(""), cells=st.tuples(cells, cells))
)


@settings(deadline=None)
@given(rows)
def test_ranking_loses_nothing_and_orders_by_improvement(rows: list[Row]) -> None:
    section = rank(rows, COLUMNS, None)
    assert sorted(row.model for row in section.rows) == sorted(row.model for row in rows)
    known = [row.improvement for row in section.rows if row.improvement is not None]
    assert known == sorted(known, reverse=True)
    assert all(any(row.cells[place] for row in section.rows) for place in range(len(section.columns)))
