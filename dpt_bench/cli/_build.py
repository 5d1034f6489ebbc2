"""Runs a build and shows its report."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass

import typer

from dpt_bench.cli._progress import progress
from dpt_bench.cli._table import show_table
from dpt_bench.conversion import BuildFailed, BuildOptions, BuildReport, build
from dpt_bench.conversion.options import ShortSide
from dpt_bench.conversion.report import COLUMNS, DatasetRow, human_size
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
    found = [row for row in report.rows if row.status != "missing"]
    header, *cells = [COLUMNS, *(row.cells() for row in found)]
    rejected, notes = header.index("rejected"), header.index("note")
    # reasons are as many and as long as they like: the table has their number, and they follow below it
    cells = [(*line[:rejected], _count(row), *line[rejected + 1 :]) for row, line in zip(found, cells, strict=True)]
    filled = [place for place in range(notes) if any(line[place] for line in cells)]
    show_table([[line[place] for place in filled] for line in (header, *cells)])
    typer.echo(f"\n{_summary(report)}")
    _list("rejected, each with its reason in rejected.parquet:", {row.dataset: _reasons(row) for row in found})
    _list("to note:", {row.dataset: row.note for row in found})
    _list("not found under raw:" if report.missing_is_fine else "missing, and how to obtain them:", report.missing)
    if report.missing and not report.missing_is_fine:
        typer.echo("to accept that, add --allow-missing, or name what you have with --datasets", err=True)


def _count(row: DatasetRow) -> str:
    return f"{sum(row.rejections.values()):,}" if row.rejections else ""


def _reasons(row: DatasetRow) -> str:
    return ", ".join(f"{count:,} {reason}" for reason, count in row.rejections.items())


def _list(title: str, texts: Mapping[str, str]) -> None:
    """A title and what there is to say of each dataset; nothing where that is nothing."""
    if any(texts.values()):
        typer.echo(f"\n{title}")
    for name, text in texts.items():
        if text:
            typer.echo(textwrap.fill(f"{name}: {text}", 80, initial_indent="  ", subsequent_indent="    "))


def _summary(report: BuildReport) -> str:
    """What all datasets come to, where it lies, and whether it fits."""
    shards, size = sum(row.shards for row in report.rows), sum(row.num_bytes for row in report.rows)
    images = sum(sum(row.samples.values()) for row in report.rows)
    planned = any(row.status == "planned" for row in report.rows)
    verb, about = ("planned", "about ") if planned else ("built", "")
    lines = [
        f"{report.mix}: {report.coverage} datasets {verb}, {images:,} images in {shards:,} shard{'s'[: shards != 1]}, "
        f"{about}{human_size(size)}",
        f"at {report.out}",
    ]
    if report.free_bytes is not None:
        fits = not planned or size <= report.free_bytes
        lines.append(f"free disk space: {human_size(report.free_bytes)}{'' if fits else ', which is too little'}")
    return "\n".join(lines)
