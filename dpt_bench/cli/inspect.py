"""`dpt-bench inspect`: a static page about shards."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dpt_bench.cli._paths import INSPECTION, SHARDS


def command(
    url: Annotated[str, typer.Argument(envvar="DPT_BENCH_SHARDS", help="Folder or fsspec URL of the shards.")] = SHARDS,
    out: Annotated[Path, typer.Option("--out", help="Folder for the page and its pictures.")] = Path(INSPECTION),
    samples: Annotated[int, typer.Option(min=1, help="Samples to decode of each dataset, evenly spread.")] = 200,
    pictures: Annotated[int, typer.Option(min=0, help="Samples to show of each dataset.")] = 9,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the choice of samples.")] = 0,
    workers: Annotated[int | None, typer.Option(min=1, help="Threads; all cores if not given.")] = None,
) -> None:
    """Make a page about shards: counts, fractions, histograms, rejections, pictures with the mask shown.

    Example: [bold]dpt-bench inspect shards --out inspection[/bold]
    """
    from dpt_bench.cli._progress import progress
    from dpt_bench.conversion import InspectOptions, inspect_shards

    with progress() as shown:
        page = inspect_shards(url, out, InspectOptions(samples, pictures, seed, workers), shown)
    typer.echo(str(page))
