"""`dpt-bench train`: trains a preset on shards."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dpt_bench.cli._paths import SHARDS, ShardsUrl


def command(
    preset: Annotated[
        str, typer.Argument(help="A preset by name (`dpt-bench list presets`), or a path to its TOML.")
    ] = "mix6-dpt-hybrid",
    shards: ShardsUrl = SHARDS,
    out: Annotated[Path | None, typer.Option("--out", help="Run folder; runs/<preset> if not given.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Change one value: `a.b=c`; repeat it for several.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the run folder's newest checkpoint.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the resolved run; start nothing.")] = False,
) -> None:
    """Train a preset on shards, with one process or under torchrun.

    Example: [bold]dpt-bench train demo --shards shards --out runs/demo[/bold]
    """
    from dpt_bench.cli._train import TrainCall, run_train

    run_train(TrainCall(preset, shards, out, tuple(settings or ()), resume, dry_run))
