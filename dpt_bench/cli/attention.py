"""`dpt-bench attention`: where reference tokens look, layer by layer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    model: Annotated[str, typer.Argument(help="A checkpoint of a network with a vision transformer.")],
    image: Annotated[Path, typer.Argument(help="A picture.")],
    out: Annotated[Path, typer.Option("--out", help="The PNG to write.")] = Path("attention.png"),
    layers: Annotated[
        str | None, typer.Option(help="Transformer layers, counted from 1; without it four, the last among them.")
    ] = None,
    tokens: Annotated[
        str,
        typer.Option(
            help="Reference tokens: upper-left, upper-right, lower-left, lower-right, centre, or x:y from 0 to 1."
        ),
    ] = "upper-left,lower-right",
    variant: Annotated[
        str | None, typer.Option(help="Which network a released file holds, where it fits several.")
    ] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda or cuda:N.")] = "cpu",
) -> None:
    """Render the attention maps of chosen layers and tokens, averaged over the heads (DPT, figures A4 and A5).

    Each row has one reference token, marked in the picture; each map has its own scale, bright is much.

    Example: [bold]dpt-bench attention dpt_large-midas-2f21e586.pt photo.jpg --layers 6,12,18,24[/bold]
    """
    from dpt_bench.cli._attention import AttentionCall, run_attention

    run_attention(AttentionCall(model, image, out, layers, tokens, variant, device))
