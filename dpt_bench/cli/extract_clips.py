"""`dpt-bench extract-clips`: takes the listed frames out of stereo videos, before a build."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dpt_bench.cli._paths import RAW, RawFolder

SHOWN = 10


def command(
    dataset: Annotated[str, typer.Argument(help="movies, wsvd, or a path to a recipe of yours that has videos.")],
    raw: RawFolder = RAW,
    workers: Annotated[int, typer.Option(min=1, help="Videos at a time.")] = 1,
) -> None:
    """Extract the frames that a dataset's lists name from its videos. Run again to resume; then build.

    Example: [bold]dpt-bench extract-clips wsvd --raw raw --workers 4[/bold] reads raw/wsvd/videos and raw/wsvd/lists.
    """
    from dpt_bench.cli._extract import extract
    from dpt_bench.cli._progress import progress

    with progress() as shown:
        summary = extract(dataset, Path(raw), workers, shown)
    for line in summary.lines(SHOWN):
        typer.echo(line)
    if summary.failed:
        raise typer.Exit(1)
