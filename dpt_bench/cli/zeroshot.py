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
            "--model", help="A checkpoint file, `baseline:constant` or `baseline:ramp`; repeat it for several."
        ),
    ],
    data: EvalFolder = EVAL,
    out: Annotated[Path, typer.Option("--out", help="Results folder; run again to go on.")] = Path(RESULTS),
    suite: Annotated[
        str, typer.Option(help="A suite by name (`dpt-bench list suites`), or a path to its TOML.")
    ] = "midas",
    datasets: Annotated[str | None, typer.Option(help="Only these of the suite, comma-separated.")] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda or cuda:N.")] = "cpu",
    batch_size: Annotated[int, typer.Option(min=1, help="Images of one size in a batch.")] = 8,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Only the first N images of each dataset (labelled partial).")
    ] = None,
) -> None:
    """Evaluate models on a suite: one table, a CSV for the paper, one row an image on disk. Run again to resume.

    Example: [bold]dpt-bench zeroshot --model runs/demo/best.pt --data eval[/bold]
    """
    from dpt_bench.cli._zeroshot import ZeroshotCall, run_zeroshot

    chosen = None if datasets is None else tuple(name.strip() for name in datasets.split(",") if name.strip())
    run_zeroshot(ZeroshotCall(tuple(model), data, out, suite, chosen, device, batch_size, limit))
