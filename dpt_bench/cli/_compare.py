"""Prints two measured models beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import typer

from dpt_bench.cli._table import show_table
from dpt_bench.leaderboard.compare import ComparedCell, ComparedModels, compare_models


def run_compare(folders: Sequence[Path], first: str, second: str) -> None:
    """A row a dataset and metric: both means, their paired difference, its interval, and whether it is resolved."""
    compared = compare_models(folders, first, second)
    typer.echo(f"A: {compared.first}\nB: {compared.second}")
    for suite in dict.fromkeys((cell.row.suite, cell.row.suite_version) for cell in compared.cells):
        typer.echo(f"\nsuite {suite[0]}, version {suite[1]}; A - B with its paired 95 % bootstrap interval\n")
        cells = [cell for cell in compared.cells if (cell.row.suite, cell.row.suite_version) == suite]
        header = ["dataset", "metric", "A", "B", "A - B", "better"]
        show_table([header, *(_line(cell) for cell in cells)], numbers_from=2)
        for cell in cells:
            if cell.n_only_one and cell.row.on_board:
                typer.echo(f"{cell.row.dataset}: {cell.n_only_one} images left out that only one of the two has")
    _show_improvement(compared)


def _line(cell: ComparedCell) -> list[str]:
    low, high = cell.difference.interval
    verdict = {"first": "A", "second": "B", None: "unresolved"}[cell.better]
    label = "" if cell.label == "complete" else f"\n{cell.label}"
    return [
        f"{cell.row.dataset}\n{cell.difference.n_images} images{label}",
        cell.row.metric,
        f"{cell.first_mean:.4f}",
        f"{cell.second_mean:.4f}",
        f"{cell.difference.mean:+.4f}\n{low:+.4f}..{high:+.4f}",
        verdict,
    ]


def _show_improvement(compared: ComparedModels) -> None:
    if compared.improvement is None:
        return
    datasets = [cell.row.dataset for cell in compared.cells if cell.row.on_board]
    typer.echo(f"\nimprovement of A over B: {100 * compared.improvement:+.1f} % (mean over {', '.join(datasets)})")
