"""`dpt-bench leaderboard`: CSV, Markdown, LaTeX and HTML boards from results folders."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dpt_bench.cli._paths import RESULTS, SITE


def command(
    results: Annotated[
        list[Path] | None, typer.Argument(help="Results folders written by `dpt-bench zeroshot`.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder for the site and the tables.")] = Path(SITE),
    formats: Annotated[
        str, typer.Option(help="Of csv, markdown, latex, html; comma-separated.")
    ] = "csv,markdown,latex,html",
    suite: Annotated[
        list[str] | None, typer.Option(help="Also show this suite's published numbers; repeatable.")
    ] = None,
    reference: Annotated[str | None, typer.Option(help="The model that improvements are relative to.")] = None,
    compare: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="A B", help="Instead of a board: two models image by image, and whether they differ."),
    ] = None,
    from_memory: Annotated[
        bool, typer.Option("--from-memory", help="Also show published numbers that were not verified.")
    ] = False,
) -> None:
    """Make the leaderboard: static HTML, CSV, Markdown and LaTeX, beside the published numbers.

    Example: [bold]dpt-bench leaderboard results --out site[/bold]
    """
    places = results or [Path(RESULTS)]
    if compare is not None:
        from dpt_bench.cli._compare import run_compare

        run_compare(places, *compare)
        return
    from dpt_bench.leaderboard import render

    wanted = [name.strip() for name in formats.split(",") if name.strip()]
    for file in render(places, out, formats=wanted, suites=suite or (), reference=reference, from_memory=from_memory):
        typer.echo(str(file))
