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
    from_memory: Annotated[
        bool, typer.Option("--from-memory", help="Also show published numbers that were not verified.")
    ] = False,
) -> None:
    """Make the leaderboard: static HTML, CSV, Markdown and LaTeX, beside the published numbers.

    Example: [bold]dpt-bench leaderboard results --out site[/bold]
    """
    from dpt_bench.leaderboard import render

    written = render(results or [Path(RESULTS)], out, from_memory=from_memory)
    for file in written:
        typer.echo(str(file))
