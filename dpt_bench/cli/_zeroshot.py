"""Evaluates models on a suite and prints the table."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import typer

from dpt_bench.cli._expect import show_comparisons
from dpt_bench.cli._precision import parse_precision
from dpt_bench.cli._progress import progress
from dpt_bench.cli._table import show_table
from dpt_bench.core.catalog import SUITES
from dpt_bench.evaluation import EvaluationOptions, EvaluationReport, SharedRun, evaluate_shared
from dpt_bench.predictors._contract import PredictorOptions
from dpt_bench.results import SummaryRow
from dpt_bench.results.expected import check_expectation, compare_with_published

Model = tuple[str, str | None]  # name and checksum
_GAP = 3  # between the columns of a table
_MODEL_WIDTH = 20  # a longer name is folded where the terminal is narrow


@dataclass(frozen=True)
class ZeroshotCall:
    """The command line of `dpt-bench zeroshot`."""

    models: tuple[str, ...]
    data: str
    out: Path
    suite: str
    datasets: tuple[str, ...] | None
    devices: tuple[str, ...]
    precision: str
    batch_size: int
    limit: int | None
    cache: Path | None
    cache_bytes: int
    expect: str | None
    executor: str | None
    workers: int | None
    variant: str | None = None


def run_zeroshot(call: ZeroshotCall) -> None:
    """Evaluate, print a row a model, say where the files are, and what is published."""
    if call.expect is not None:
        check_expectation(SUITES.load(call.suite).name, call.expect)
    precision = parse_precision(call.precision)
    loading = PredictorOptions(precision=precision, batch_size=call.batch_size, variant=call.variant)
    options = EvaluationOptions(
        datasets=call.datasets,
        limit=call.limit,
        batch_size=call.batch_size,
        cache=call.cache,
        cache_bytes=call.cache_bytes,
        predictor_settings={"precision": loading.precision},
    )
    run = SharedRun(
        models=call.models,
        suite=call.suite,
        data=call.data,
        out=call.out,
        executor=call.executor or ("processes" if len(call.devices) > 1 or (call.workers or 1) > 1 else "serial"),
        devices=call.devices,
        workers=call.workers,
        loading=loading,
        options=options,
    )
    with progress() as shown:
        report = evaluate_shared(run, progress=shown)
    _show(report)
    if call.expect is not None:
        show_comparisons(compare_with_published(report.summary, call.expect))


def _show(report: EvaluationReport) -> None:
    rows = [row for row in report.summary if row.on_board]
    datasets = list(dict.fromkeys(row.dataset for row in rows))
    first = {row.dataset: row for row in rows}
    typer.echo(f"\nsuite {report.suite}, version {report.suite_version}; fractions, with 95 % intervals\n")
    models = list(dict.fromkeys((row.model, row.checkpoint_sha256) for row in rows))
    columns = [[f"{name}\n{first[name].metric}", *(_cell(rows, model, name) for model in models)] for name in datasets]
    names = _distinct_names(models)
    for block in _blocks(columns, names):
        show_table(list(zip(["model", *names], *block, strict=True)), numbers_from=1)
        typer.echo("")
    for name in datasets:
        _show_counts(name, [row for row in rows if row.dataset == name])
    for name, root in report.absent.items():
        typer.echo(f"{name}: no folder {root}")
    if report.missing:
        typer.echo(f"sets of the protocol that this version cannot read yet: {', '.join(report.missing)}")
    if report.n_cached:
        typer.echo(f"{report.n_cached} predictions came from the cache")
    if report.n_resumed:
        typer.echo(f"{report.n_new} images scored now, {report.n_resumed} were finished by an earlier run")
    typer.echo(f"\n{report.leaderboard_csv}\n{report.summary_csv}")


def _show_counts(dataset: str, rows: Sequence[SummaryRow]) -> None:
    """How many images a dataset's means are of, and why others have no number: a line for all models, or one each."""
    models: dict[str, list[str]] = {}
    names = _distinct_names([(row.model, row.checkpoint_sha256) for row in rows])
    for name, row in zip(names, rows, strict=True):
        skipped = f", {row.n_skipped} skipped: {row.skips}" if row.n_skipped else ""
        models.setdefault(f"{row.n_images} images{skipped} ({row.label})", []).append(name)
    for counts, of in models.items():
        typer.echo(f"{dataset}: {counts}" if len(models) == 1 else f"{dataset}, {', '.join(of)}: {counts}")


def _blocks(columns: Sequence[Sequence[str]], models: Sequence[str]) -> list[list[Sequence[str]]]:
    """Columns of one table after another, each as wide as the terminal at most: six datasets need two at 80."""
    room = shutil.get_terminal_size().columns - min(max(map(len, models), default=0), _MODEL_WIDTH)
    blocks: list[list[Sequence[str]]] = [[]]
    left = room
    for column in columns:
        width = _GAP + max(len(line) for cell in column for line in cell.split("\n"))
        if blocks[-1] and width > left:
            blocks.append([])
            left = room
        blocks[-1].append(column)
        left -= width
    return blocks


def _distinct_names(models: Sequence[Model]) -> list[str]:
    """Names; with the first digits of the checksum, as `leaderboard --compare` takes them, where several share one."""
    plain = [name for name, _ in models]
    return [name if plain.count(name) == 1 else f"{name}@{(checkpoint or '')[:8]}" for name, checkpoint in models]


def _cell(rows: Sequence[SummaryRow], model: Model, dataset: str) -> str:
    row = next((row for row in rows if ((row.model, row.checkpoint_sha256), row.dataset) == (model, dataset)), None)
    if row is None or row.mean is None:
        return "-"
    if row.ci_low is None or row.ci_high is None:
        return f"{row.mean:.4f}"
    return f"{row.mean:.4f}\n{row.ci_low:.3f}..{row.ci_high:.3f}"
