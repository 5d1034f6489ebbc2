"""The board as a Markdown table: best in bold, 95 % intervals in brackets, a dagger where trained on the dataset."""

from __future__ import annotations

import re

from dpt_bench.leaderboard.board import Board, Cell, Row, Section
from dpt_bench.leaderboard.columns import Column
from dpt_bench.leaderboard.wording import column_note, section_title, signed_percent, training_words


def write(board: Board) -> str:
    """The Markdown's text; names with markup in them stay text."""
    parts = [f"## {escape(board.title)} (`{board.suite}`, version {board.version})"]
    for section, comparable in board.sections:
        parts += [f"### {section_title(comparable=comparable)}", _table(section)]
    parts.append(
        "† trained on this dataset, ranked only where all models did. [a, b]: 95 % bootstrap interval of the mean."
    )
    return "\n\n".join(parts) + "\n"


def escape(text: str) -> str:
    """Text that Markdown and the HTML in it show as it is, in one cell of one line."""
    quoted = re.sub(r"([\\`*_\[\]|~])", r"\\\1", " ".join(text.split()))
    return quoted.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _table(section: Section) -> str:
    heads = [f"{escape(column.heading)}<br>{escape(column_note(column))}" for column in section.columns]
    heads = ["Model", *heads, "Trained on", "Source"]
    rule = ["---", *("---:" for _ in section.columns), "---", "---"]
    rows = [
        [escape(row.model), *_cells(section, row), escape(training_words(row.trained_on)), escape(_source(row))]
        for row in section.rows
    ]
    if section.reference:
        heads.insert(-2, f"Improvement over {escape(section.reference)}, %")
        rule.insert(-2, "---:")
        for cells, row in zip(rows, section.rows, strict=True):
            cells.insert(-2, "–" if row.improvement is None else signed_percent(row.improvement))
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (heads, rule, *rows))


def _cells(section: Section, row: Row) -> list[str]:
    return [_cell(cell, column) for cell, column in zip(row.cells, section.columns, strict=True)]


def _cell(cell: Cell | None, column: Column) -> str:
    if cell is None:
        return "–"
    text = (f"**{cell.text}**" if cell.best else cell.text) + ("†" if cell.trained_on_dataset else "")
    if cell.low is not None and cell.high is not None:
        text += f" [{column.show(cell.low)}, {column.show(cell.high)}]"
    return text


def _source(row: Row) -> str:
    remarks = [row.source, row.input, *row.labels, "" if row.verified else "from memory"]
    return "; ".join(remark for remark in remarks if remark)
