"""`dpt-bench export`: a network in the format of another project."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    checkpoint: Annotated[
        Path, typer.Argument(help="A checkpoint of ours, a released DPT or MiDaS file, or a folder of transformers.")
    ],
    out: Annotated[Path, typer.Argument(help="The file to write; for huggingface, the folder.")],
    target: Annotated[str, typer.Option("--to", help="authors, huggingface, onnx or safetensors.")],
    variant: Annotated[
        str | None, typer.Option("--variant", help="Which network, where the file fits several: dpt-hybrid-nyu, ...")
    ] = None,
    readout: Annotated[
        str | None, typer.Option("--readout", help="ignore or add, for files without readout weights.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace what an earlier export wrote there.")] = False,
) -> None:
    """Write a network in the format of another project, and say where that project's formula differs.

    Example: [bold]dpt-bench export ckpt.pt --to huggingface my-dpt[/bold]
    """
    from dpt_bench.cli._export import ExportCall, run_export

    for line in run_export(ExportCall(checkpoint, target, out, variant, readout, force)):
        typer.echo(line)
