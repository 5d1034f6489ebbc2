"""Prints ours beside the published numbers, and what is known to explain a difference."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Sequence

import typer

from dpt_bench.cli._table import show_table
from dpt_bench.results.expected import Comparison, reasons_for


def show_comparisons(comparisons: Sequence[Comparison]) -> None:
    """A row a number, then remarks and reasons, each once."""
    if not comparisons:
        typer.echo("\nno published number for what was measured")
        return
    first = comparisons[0]
    typer.echo(f"\nbeside {first.published.paper}, {first.published.table}: fractions as printed there\n")
    several = len({one.ours.model for one in comparisons}) > 1
    header = [*(["model"] if several else []), "dataset", "metric", "ours", "published", "difference", ""]
    body = [
        [
            *([one.ours.model] if several else []),
            one.ours.dataset,
            one.ours.metric,
            "-" if one.ours.mean is None else f"{one.ours.mean:.4f}",
            str(one.published.value),
            "-" if one.difference is None else f"{one.difference:+.4f}",
            "same" if one.same else "",
        ]
        for one in comparisons
    ]
    show_table([header, *body], numbers_from=len(header) - 4)
    remarks: dict[str, list[str]] = {}
    for one in comparisons:
        for remark in one.remarks:
            remarks.setdefault(remark, []).append(one.ours.dataset)
    for remark, datasets in remarks.items():
        _show_paragraph(f"{', '.join(dict.fromkeys(datasets))}: {remark}")
    reasons = reasons_for(comparisons)
    if reasons:
        typer.echo("\nknown to explain a difference:")
    for reason in reasons:
        of = f"{', '.join(reason.datasets)}: " if reason.datasets else ""
        _show_paragraph(f"- {of}{reason.text} ({reason.source})")


def _show_paragraph(text: str) -> None:
    width = max(40, shutil.get_terminal_size().columns)
    typer.echo(textwrap.fill(text, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False))
