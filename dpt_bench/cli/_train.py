"""Runs a training and says how it ended."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import typer

from dpt_bench.cli._paths import RUNS
from dpt_bench.cli._progress import progress
from dpt_bench.core.errors import UsageError
from dpt_bench.core.progress import Progress
from dpt_bench.training import TrainReport, parse_settings, plan_run, train


@dataclass(frozen=True)
class TrainCall:
    """The command line of `dpt-bench train`."""

    preset: str
    shards: str
    out: Path | None
    settings: tuple[str, ...]
    resume: bool


def run_train(call: TrainCall, *, on_ray: bool, processes: int | None, dry_run: bool) -> None:
    """Train; exit 75 where a signal stopped the run after a checkpoint, for a scheduler to queue it again.

    Raises:
        UsageError: a number of processes without anybody to start them.
    """
    if dry_run:
        plan = plan_run(call.preset, call.shards, processes=processes or 1, overrides=parse_settings(call.settings))
        _say(plan)
        return
    if processes is not None and not on_ray:
        fix = f"--launcher ray, or torchrun --nproc-per-node {processes} -m dpt_bench.cli.main train ..."
        raise UsageError("one process cannot start others", where="--processes", fix=fix)
    with progress() as shown:
        report = _train(call, shown, on_ray=on_ray, processes=processes)
    _say(f"{report.status}: {report.steps} of {report.total_steps} steps, trained on {report.trained_on}")
    if report.best is not None:
        score = "not validated" if report.best_score is None else f"validation {report.best_score:.4f}"
        _say(f"best: {report.best} ({score})")
    if report.latest is not None:
        _say(f"newest: {report.latest}")
    if report.exit_code:
        raise typer.Exit(report.exit_code)


def _say(text: str) -> None:
    """Of all processes of torchrun the first one speaks."""
    if os.environ.get("RANK", "0") == "0":
        typer.echo(text)


def _train(call: TrainCall, shown: Progress, *, on_ray: bool, processes: int | None) -> TrainReport:
    out = call.out or Path(RUNS) / Path(call.preset).stem
    settings = dict(parse_settings(call.settings))
    if not on_ray:
        return train(call.preset, call.shards, out, overrides=settings, resume=call.resume, progress=shown)
    from dpt_bench.training.ray_launcher import RayOptions, train_on_ray

    options = RayOptions(processes)
    return train_on_ray(
        call.preset, call.shards, out, options=options, overrides=settings, resume=call.resume, progress=shown
    )
