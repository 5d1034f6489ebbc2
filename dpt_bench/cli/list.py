"""`dpt-bench list`: what there is, or one entry in full."""

from __future__ import annotations

from typing import Annotated

import typer

KINDS = ("recipes", "mixes", "suites", "models", "predictors", "metrics", "presets")


def command(
    kind: Annotated[str, typer.Argument(help="recipes, mixes, suites, models, predictors, metrics or presets.")],
    name: Annotated[str | None, typer.Argument(help="Show this one in full (a name, or a path to a TOML).")] = None,
) -> None:
    """List what there is, or show one entry in full.

    Example: [bold]dpt-bench list recipes megadepth[/bold]
    """
    from dpt_bench.cli._describe import describe, one_line, titles
    from dpt_bench.core.errors import UnknownNameError

    if kind not in KINDS:
        raise UnknownNameError("kind of entry", kind, KINDS)
    if name is not None:
        typer.echo(describe(kind, name))
        return
    entries = titles(kind)
    width = max((len(entry) for entry in entries), default=0)
    for entry, title in entries.items():
        typer.echo(one_line(f"{entry:<{width}}  {title}"))
