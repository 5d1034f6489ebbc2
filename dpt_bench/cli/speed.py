"""`dpt-bench speed`: what networks cost, side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    models: Annotated[
        list[str], typer.Argument(help="Names (`dpt-bench list models`), checkpoints, or hf:ID_OR_FOLDER.")
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder for speed.csv and speed.md.")] = Path("speed"),
    size: Annotated[str, typer.Option(help="Side of the input in pixels, or HEIGHTxWIDTH.")] = "384",
    runs: Annotated[int, typer.Option(min=1, help="Timed runs of each network.")] = 400,
    warm_up: Annotated[int, typer.Option(min=0, help="Runs before those.")] = 10,
    batch_size: Annotated[int, typer.Option(min=1, help="Images in a run.")] = 1,
    device: Annotated[str, typer.Option(help="cpu, cuda or cuda:N.")] = "cpu",
    precision: Annotated[str, typer.Option(help="fp32 or bf16.")] = "fp32",
    compiled: Annotated[bool, typer.Option("--compile", help="Through torch.compile.")] = False,
) -> None:
    """Measure parameters, FLOPs, latency and memory of networks side by side (DPT, table 9: 384 x 384, 400 runs).

    The networks take turns, so that all of them see the machine in the same state. FLOPs count a multiplication and an
    addition as two; the last column is their share of what the same device reaches in plain matrix products. Memory is
    the weights and the peak of what a run adds.

    Example: [bold]dpt-bench speed dpt-base dpt-hybrid dpt-large midas-v21 --runs 40[/bold]
    """
    from dpt_bench.cli._speed import SpeedCall, run_speed

    run_speed(SpeedCall(tuple(models), out, size, runs, warm_up, batch_size, device, precision, compiled))
