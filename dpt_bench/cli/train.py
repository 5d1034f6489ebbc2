"""`dpt-bench train`: trains a preset on shards."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from dpt_bench.cli._paths import SHARDS, ShardsUrl


class Launcher(StrEnum):
    """Who starts the processes."""

    HERE = "here"
    RAY = "ray"


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
    launcher: Annotated[
        Launcher,
        typer.Option("--launcher", help="here: this process, or those of torchrun; ray: the cluster of RAY_ADDRESS."),
    ] = Launcher.HERE,
    processes: Annotated[
        int | None,
        typer.Option("--processes", min=1, help="With --launcher ray, and to plan for: one a GPU if not given."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the resolved run; start nothing.")] = False,
) -> None:
    """Train a preset on shards: in this process, in those of torchrun, or on a Ray cluster.

    Example: [bold]dpt-bench train demo --shards shards --out runs/demo[/bold]
    """
    from dpt_bench.cli._train import TrainCall, run_train

    call = TrainCall(preset, shards, out, tuple(settings or ()), resume=resume)
    run_train(call, on_ray=launcher is Launcher.RAY, processes=processes, dry_run=dry_run)
