"""`dpt-bench build`: converts the raw trees of any mix into training shards."""

from __future__ import annotations

from typing import Annotated

import typer

from dpt_bench.cli._paths import RAW, SHARDS, OutShards, RawFolder


def command(
    mix: Annotated[str, typer.Option(help="A mix by name (`dpt-bench list mixes`), or a path to its TOML.")],
    raw: RawFolder = RAW,
    out: OutShards = SHARDS,
    datasets: Annotated[str | None, typer.Option(help="Only these of the mix, comma-separated.")] = None,
    executor: Annotated[
        str, typer.Option(help="serial, processes or ray (RAY_ADDRESS names a cluster).")
    ] = "processes",
    workers: Annotated[int | None, typer.Option(min=1, help="Shards at a time; all cores if not given.")] = None,
    short_side: Annotated[str, typer.Option(help="Shorter side in pixels, or `native`; never enlarges.")] = "384",
    shard_size: Annotated[int, typer.Option(min=1, help="Samples in a shard.")] = 1000,
    seed: Annotated[int, typer.Option(help="Seed of the order in which samples are dealt to shards.")] = 0,
    max_rejected: Annotated[
        float, typer.Option(min=0, max=1, help="Fail when more than this share of a dataset is rejected.")
    ] = 0.05,
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="Exit 0 although members of the mix are missing.")
    ] = False,
    retry_rejected: Annotated[
        bool, typer.Option("--retry-rejected", help="Convert shards with rejected items again.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the plan and the disk space; write nothing.")
    ] = False,
) -> None:
    """Convert the raw trees of a mix into shards of normalised inverse depth. Run again to resume.

    Example: [bold]dpt-bench build --mix curated3 --raw raw --out shards[/bold]
    """
    from dpt_bench.cli._build import BuildCall, run_build
    from dpt_bench.cli._build import short_side as parsed
    from dpt_bench.conversion import BuildOptions

    options = BuildOptions(
        short_side=parsed(short_side),
        shard_size=shard_size,
        seed=seed,
        max_rejected=max_rejected,
        allow_missing=allow_missing,
        retry_rejected=retry_rejected,
        dry_run=dry_run,
    )
    run_build(BuildCall(mix, raw, out, datasets, executor, workers, options))
