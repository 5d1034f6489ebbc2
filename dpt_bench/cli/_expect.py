"""Prints ours beside the published numbers, and what is known to explain a difference."""

from __future__ import annotations

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
    remarks = dict.fromkeys(f"{one.ours.dataset}: {remark}" for one in comparisons for remark in one.remarks)
    for remark in remarks:
        typer.echo(remark)
    reasons = reasons_for(comparisons)
    if reasons:
        typer.echo("\nknown to explain a difference:")
    for reason in reasons:
        of = f"{', '.join(reason.datasets)}: " if reason.datasets else ""
        typer.echo(f"- {of}{reason.text} ({reason.source})")
