"""`dpt-bench sample-data`: writes the sample world as raw trees of all datasets, in their native formats."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    folder: Annotated[Path, typer.Argument(help="Where to write raw/ and eval/.")],
    train_scenes: Annotated[int, typer.Option(min=4, help="Views of each training dataset.")] = 400,
    eval_scenes: Annotated[int, typer.Option(min=1, help="Views of each evaluation dataset.")] = 40,
    datasets: Annotated[str | None, typer.Option(help="Only these recipes, comma-separated.")] = None,
    seed: Annotated[int, typer.Option(help="Another seed, another world.")] = 0,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; all cores if not given.")] = None,
) -> None:
    """Write the sample world: rendered scenes as raw trees of all datasets, in their native formats.

    Example: [bold]dpt-bench sample-data demo[/bold] writes demo/raw/<dataset> and demo/eval/<dataset>.
    """
    from dpt_bench.cli._progress import progress
    from dpt_bench.cli._sample_world import WorldOptions, write_sample_world

    chosen = None if datasets is None else tuple(name.strip() for name in datasets.split(",") if name.strip())
    with progress() as shown:
        written = write_sample_world(folder, WorldOptions(train_scenes, eval_scenes, chosen, seed, workers), shown)
    typer.echo(f"sample world: {len(written)} datasets below {folder}")
    for name, place in written.items():
        typer.echo(f"  {name:<12} {place}")
