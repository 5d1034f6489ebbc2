"""The board as wide CSV: one row a model, one column a dataset; values are fractions where their unit says so."""

from __future__ import annotations

from dpt_bench.leaderboard.board import Board, Cell, Row, Section
from dpt_bench.results.summary import csv_bytes

_FACTS = ("unit", "label", "n_images", "n_skipped", "ci_low", "ci_high", "trained_on_dataset")
_LAST = ("improvement", "improvement_over", "trained_on", "source", "input", "status", "suite", "suite_version")


def write(board: Board) -> str:
    """The CSV's text; `section` tells rows over the published image lists from this board's own runs."""
    names = [column.name for column in board.columns]
    columns = ["model", "section", *names, *_LAST, "checkpoint_sha256"]
    columns += [f"{name}_{fact}" for name in names for fact in _FACTS]
    records = [_record(board, section, row) for section, _ in board.sections for row in section.rows]
    return csv_bytes(columns, records).decode()


def _record(board: Board, section: Section, row: Row) -> dict[str, object]:
    record: dict[str, object] = {
        "model": row.model,
        "section": "published" if section is board.published else "own",
        "improvement": row.improvement,
        "improvement_over": None if row.improvement is None else section.reference,
        "trained_on": row.trained_on,
        "source": row.source,
        "input": row.input,
        "status": "verified" if row.verified else "from memory",
        "suite": board.suite,
        "suite_version": board.version,
        "checkpoint_sha256": row.measured[1] if row.measured else None,
    }
    for column, cell in zip(section.columns, row.cells, strict=True):
        if cell:
            record[column.name] = cell.value
            record |= {f"{column.name}_{fact}": value for fact, value in _facts(cell, column.unit).items()}
    return record


def _facts(cell: Cell, unit: str) -> dict[str, object]:
    values = (unit, cell.label, cell.num_images, cell.num_skipped, cell.low, cell.high, cell.trained_on_dataset)
    return dict(zip(_FACTS, values, strict=True))
