"""`dpt-bench verify`: re-counts, re-hashes and decodes shards."""

from __future__ import annotations

from typing import Annotated

import typer

from dpt_bench.cli._paths import SHARDS


def command(
    url: Annotated[str, typer.Argument(envvar="DPT_BENCH_SHARDS", help="Folder or fsspec URL of the shards.")] = SHARDS,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; all cores if not given.")] = None,
) -> None:
    """Re-count, re-hash and decode every shard; say what to run again. Exit 1 when anything is wrong.

    Example: [bold]dpt-bench verify shards[/bold]
    """
    import os

    from dpt_bench.cli._progress import progress
    from dpt_bench.shards import verify

    with progress() as shown:
        report = verify(url, processes=workers or os.cpu_count() or 1, progress=shown)
    typer.echo(report.text())
    if not report.ok:
        raise typer.Exit(1)
