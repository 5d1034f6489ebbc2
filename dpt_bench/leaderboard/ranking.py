"""What rows of one section are worth beside each other: the best of each column, the improvement over a reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dpt_bench.leaderboard.board import Cell, Row, Section
from dpt_bench.leaderboard.columns import Column
from dpt_bench.results import improvement


def rank(rows: Sequence[Row], all_columns: Sequence[Column], reference: str | None) -> Section:
    """The rows as a section: only columns with a number in them, the best marked, sorted by improvement.

    The reference is the row of that model where there is one, else the first without a gap. Improvements need two
    datasets or more, and metrics of which less is better.
    """
    places = [place for place in range(len(all_columns)) if any(row.cells[place] for row in rows)]
    columns = tuple(all_columns[place] for place in places)
    rows = [replace(row, cells=tuple(row.cells[place] for place in places)) for row in rows]
    marked = _with_best_marked(rows, columns)
    firsts = [place for place, column in enumerate(columns) if column.first]
    candidates = [row for row in marked if row.model == reference] or marked
    base = next((row for row in candidates if _has_all(row, firsts)), None)
    if base is None or len(firsts) < 2 or any(columns[place].higher_is_better for place in firsts):
        return Section(columns, tuple(marked))
    return Section(columns, tuple(_ranked(marked, base, firsts)), base.model)


def _with_best_marked(rows: Sequence[Row], columns: Sequence[Column]) -> list[Row]:
    best = [_best([row.cells[place] for row in rows], column) for place, column in enumerate(columns)]
    return [
        replace(
            row,
            cells=tuple(
                replace(cell, best=True) if cell and line in best[place] else cell
                for place, cell in enumerate(row.cells)
            ),
        )
        for line, row in enumerate(rows)
    ]


def _best(cells: Sequence[Cell | None], column: Column) -> frozenset[int]:
    """Where the best value stands, among models that did not train on the dataset unless all did.

    Nowhere if fewer than two numbers remain, or they are over several image lists.
    """
    found = {place: cell for place, cell in enumerate(cells) if cell}
    found = {place: cell for place, cell in found.items() if not cell.trained_on_dataset} or found
    if len(found) < 2 or len({cell.keys_sha256 for cell in found.values()}) > 1:
        return frozenset()
    values = {place: cell.value for place, cell in found.items()}
    best = max(values.values()) if column.higher_is_better else min(values.values())
    return frozenset(place for place, value in values.items() if value == best)


def _ranked(rows: Sequence[Row], base: Row, places: Sequence[int]) -> list[Row]:
    """Rows by improvement over `base`; one with gaps has none, and stands where its own datasets put it."""
    standings = [_standing(row, base, places) for row in rows]
    order = sorted(range(len(rows)), key=lambda place: (standings[place] is None, -(standings[place] or 0.0)))
    return [
        replace(rows[place], improvement=standings[place] if _has_all(rows[place], places) else None) for place in order
    ]


def _has_all(row: Row, places: Sequence[int]) -> bool:
    return all(row.cells[place] for place in places)


def _standing(row: Row, base: Row, places: Sequence[int]) -> float | None:
    """Improvement over `base` on the datasets of the row; None where its images are others than the base's."""
    pairs = [(mine, theirs) for place in places if (mine := row.cells[place]) and (theirs := base.cells[place])]
    if not pairs or any(mine.keys_sha256 != theirs.keys_sha256 or not theirs.value for mine, theirs in pairs):
        return None
    errors = {str(place): mine.value for place, (mine, _) in enumerate(pairs)}
    return improvement(errors, {str(place): theirs.value for place, (_, theirs) in enumerate(pairs)})
