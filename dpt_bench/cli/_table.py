"""Tables on standard output: aligned, wrapped to the terminal, plain text in a log."""

from __future__ import annotations

from collections.abc import Sequence


def show_table(rows: Sequence[Sequence[str]], *, numbers_from: int | None = None) -> None:
    """Print a header and its rows; columns from `numbers_from` on are aligned to the right."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    header, *body = rows
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for place, title in enumerate(header):
        right = numbers_from is not None and place >= numbers_from
        table.add_column(title, justify="right" if right else "left", overflow="fold", no_wrap=right)
    for row in body:
        table.add_row(*row)
    Console(markup=False, highlight=False, soft_wrap=False).print(table)
