"""Runs a build and shows its report."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

import typer

from dpt_bench.cli._progress import progress
from dpt_bench.cli._table import show_table
from dpt_bench.conversion import BuildFailed, BuildOptions, BuildReport, build
from dpt_bench.conversion.options import ShortSide
from dpt_bench.conversion.report import human_size
from dpt_bench.core.errors import UsageError


@dataclass(frozen=True)
class BuildCall:
    """The command line of `dpt-bench build`."""

    mix: str
    raw: str
    out: str
    datasets: str | None
    executor: str
    workers: int | None
    options: BuildOptions


def run_build(call: BuildCall) -> None:
    """Build, print one row a dataset, exit 1 where something asked for is missing or failed."""
    chosen = None if call.datasets is None else [name.strip() for name in call.datasets.split(",") if name.strip()]
    try:
        with progress() as shown:
            report = build(
                call.mix,
                call.raw,
                call.out,
                datasets=chosen,
                executor=call.executor,
                workers=call.workers,
                options=call.options,
                progress=shown,
            )
    except BuildFailed as failure:
        _show(failure.report)
        raise
    _show(report)
    if not report.complete:
        raise typer.Exit(1)


def short_side(text: str) -> ShortSide:
    """The value of --short-side.

    Raises:
        UsageError: neither a number nor `native`.
    """
    if text == "native":
        return "native"
    if not text.isdigit():
        raise UsageError(f"--short-side is {text!r}", fix="give a number of pixels, or native")
    return int(text)


def _show(report: BuildReport) -> None:
    header, *rows = report.table()
    notes = header.index("note")
    found = [row[:notes] for row in rows if row[1] != "missing"]
    filled = [place for place in range(notes) if any(row[place] for row in found)]
    show_table([[row[place] for place in filled] for row in (header, *found)])
    typer.echo(f"\n{_summary(report)}")
    for row in report.rows:
        if row.note and row.status != "missing":
            typer.echo(textwrap.fill(f"{row.dataset}: {row.note}", 80, subsequent_indent="  "))
    if report.missing:
        typer.echo("\nmissing, and how to obtain them:" if not report.missing_is_fine else "\nnot found under raw:")
    for name, note in report.missing.items():
        typer.echo(textwrap.fill(f"{name}: {note}", 80, initial_indent="  ", subsequent_indent="    "))
    if report.missing and not report.missing_is_fine:
        typer.echo("to accept that, add --allow-missing, or name what you have with --datasets", err=True)


def _summary(report: BuildReport) -> str:
    """What all datasets come to, where it lies, and whether it fits."""
    shards, size = sum(row.shards for row in report.rows), sum(row.num_bytes for row in report.rows)
    images = sum(sum(row.samples.values()) for row in report.rows)
    planned = any(row.status == "planned" for row in report.rows)
    verb, about = ("planned", "about ") if planned else ("built", "")
    lines = [
        f"{report.mix}: {report.coverage} datasets {verb}, {images:,} images in {shards:,} shards, "
        f"{about}{human_size(size)}",
        f"at {report.out}",
    ]
    if report.free_bytes is not None:
        fits = not planned or size <= report.free_bytes
        lines.append(f"free disk space: {human_size(report.free_bytes)}{'' if fits else ', which is too little'}")
    return "\n".join(lines)
