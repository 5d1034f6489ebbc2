"""`dpt-bench verify`: re-counts, re-hashes and decodes shards."""

from __future__ import annotations

from typing import Annotated

import typer

from dpt_bench.cli._paths import SHARDS


def command(
    url: Annotated[str, typer.Argument(envvar="DPT_BENCH_SHARDS", help="Folder or fsspec URL of the shards.")] = SHARDS,
    workers: Annotated[int | None, typer.Option(min=1, help="Threads; all cores if not given.")] = None,
) -> None:
    """Re-count, re-hash and decode every shard; say what to run again. Exit 1 when anything is wrong.

    Example: [bold]dpt-bench verify shards[/bold]
    """
    from dpt_bench.cli._progress import progress
    from dpt_bench.shards import verify

    with progress() as shown:
        report = verify(url, workers=workers, progress=shown)
    for problem in report.problems:
        typer.echo(f"{problem.dataset}/{problem.file}: {problem.what}")
        if problem.fix:
            typer.echo(f"  to do: {problem.fix}")
    typer.echo(f"{report.url}: {report.samples:,} samples in {report.shards:,} shards, {len(report.problems)} problems")
    if not report.ok:
        raise typer.Exit(1)
