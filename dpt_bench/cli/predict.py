"""`dpt-bench predict`: depth maps of images, folders and videos."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

KINDS = ("png", "npy", "colour")


def command(
    inputs: Annotated[list[Path], typer.Argument(help="Images, folders (searched throughout) and videos.")],
    model: Annotated[
        str,
        typer.Option(
            "--model", help="A checkpoint, or hf:ID_OR_FOLDER, onnx:FILE, python:FILE; `,name=value` may follow."
        ),
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder for png/, npy/ and colour/.")] = Path("predictions"),
    write: Annotated[str, typer.Option(help="Which of png, npy and colour, comma-separated.")] = "png,npy,colour",
    every: Annotated[int, typer.Option(min=1, help="Only every N-th frame of a video.")] = 1,
    variant: Annotated[
        str | None, typer.Option(help="Which network a released file holds, where it fits several.")
    ] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda or cuda:N.")] = "cpu",
    precision: Annotated[str, typer.Option(help="fp32 or bf16.")] = "fp32",
    batch_size: Annotated[int, typer.Option(min=1, help="Images in a batch, at most.")] = 8,
    force: Annotated[bool, typer.Option("--force", help="Predict again what is there.")] = False,
) -> None:
    """Predict depth maps: 16-bit PNG, npy, and a picture with near things bright. Run again to resume.

    A PNG's text says how to read it: for metric depth, metres are the numbers times `scale`; otherwise the prediction
    is low + number / 65535 * (high - low).

    Example: [bold]dpt-bench predict --model runs/demo/best.pt photos clip.mp4 --out depth[/bold]
    """
    from dpt_bench.cli._predict import PredictCall, run_predict

    run_predict(PredictCall(model, tuple(inputs), out, write, every, variant, device, precision, batch_size, force))
