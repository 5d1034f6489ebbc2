"""`dpt-bench zeroshot`: evaluates models on a suite and prints the table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dpt_bench.cli._paths import EVAL, RESULTS, EvalFolder


def command(
    model: Annotated[
        list[str],
        typer.Option(
            "--model",
            help="A checkpoint, or hf:ID_OR_FOLDER, onnx:FILE, python:FILE, predictions:FOLDER, baseline:ramp; "
            "repeatable.",
        ),
    ],
    data: EvalFolder = EVAL,
    out: Annotated[Path, typer.Option("--out", help="Results folder; run again to go on.")] = Path(RESULTS),
    suite: Annotated[
        str, typer.Option(help="A suite by name (`dpt-bench list suites`), or a path to its TOML.")
    ] = "midas",
    datasets: Annotated[str | None, typer.Option(help="Only these of the suite, comma-separated.")] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda or cuda:N; several, comma-separated, share the work.")] = "cpu",
    precision: Annotated[str, typer.Option(help="fp32, or bf16, which moves the numbers.")] = "fp32",
    batch_size: Annotated[int, typer.Option(min=1, help="Images of one size in a batch.")] = 8,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Only the first N images of each dataset (labelled partial).")
    ] = None,
    cache: Annotated[
        Path | None, typer.Option(help="Keep predictions here: another suite scores them without the network.")
    ] = None,
    cache_gb: Annotated[float, typer.Option(min=0.001, help="Size at which old predictions leave the cache.")] = 50.0,
    expect: Annotated[
        str | None,
        typer.Option(help="`published`, or a model of the published table: print its numbers beside these."),
    ] = None,
    executor: Annotated[
        str | None,
        typer.Option(help="serial; processes or ray: workers share the run. Processes if several devices or workers."),
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="How many share the run; one a device by default.")] = None,
    variant: Annotated[
        str | None,
        typer.Option(
            help="Which network the released files hold, where they fit several; for one of them, FILE,variant=NAME."
        ),
    ] = None,
) -> None:
    """Evaluate models on a suite: one table, a CSV for the paper, one row an image on disk. Run again to resume.

    Example: [bold]dpt-bench zeroshot --model runs/demo/best.pt --data eval[/bold]
    """
    from dpt_bench.cli._zeroshot import ZeroshotCall, run_zeroshot

    run_zeroshot(
        ZeroshotCall(
            models=tuple(model),
            data=data,
            out=out,
            suite=suite,
            datasets=None if datasets is None else tuple(name.strip() for name in datasets.split(",") if name.strip()),
            devices=tuple(name.strip() for name in device.split(",") if name.strip()),
            precision=precision,
            batch_size=batch_size,
            limit=limit,
            cache=cache,
            cache_bytes=round(cache_gb * 1e9),
            expect=expect,
            executor=executor,
            workers=workers,
            variant=variant,
        )
    )
