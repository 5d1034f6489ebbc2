"""Runs a training and says how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import typer

from dpt_bench.cli._paths import RUNS
from dpt_bench.cli._progress import progress
from dpt_bench.training import train
from dpt_bench.training.overrides import parse_settings


@dataclass(frozen=True)
class TrainCall:
    """The command line of `dpt-bench train`."""

    preset: str
    shards: str
    out: Path | None
    settings: tuple[str, ...]
    resume: bool
    dry_run: bool


def run_train(call: TrainCall) -> None:
    """Train; exit 75 where a signal stopped the run after a checkpoint, for a scheduler to queue it again."""
    out = call.out or Path(RUNS) / Path(call.preset).stem
    with progress() as shown:
        report = train(
            call.preset,
            call.shards,
            out,
            overrides=dict(parse_settings(call.settings)),
            resume=call.resume,
            dry_run=call.dry_run,
            progress=shown,
        )
    if report.status == "planned":
        typer.echo(report.plan)
        return
    typer.echo(f"{report.status}: {report.steps} of {report.total_steps} steps, trained on {report.trained_on}")
    if report.best is not None:
        score = "not validated" if report.best_score is None else f"validation {report.best_score:.4f}"
        typer.echo(f"best: {report.best} ({score})")
    if report.latest is not None:
        typer.echo(f"newest: {report.latest}")
    if report.exit_code:
        raise typer.Exit(report.exit_code)
