"""`dpt-bench validate`: checks a TOML of the user's without touching data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    file: Annotated[Path, typer.Argument(help="A recipe, mix, suite or preset TOML.")],
    kind: Annotated[
        str | None, typer.Option(help="recipe, mix, suite or preset; guessed from the keys if not given.")
    ] = None,
) -> None:
    """Check a recipe, mix, suite or preset of your own against its schema.

    Example: [bold]dpt-bench validate my_dataset.toml[/bold]
    """
    from dpt_bench.cli._describe import SCHEMA_OF, guess_kind
    from dpt_bench.core.errors import UnknownNameError

    kind = kind or guess_kind(file)
    if kind not in SCHEMA_OF:
        raise UnknownNameError("kind of file", kind, SCHEMA_OF)
    SCHEMA_OF[kind](file)
    typer.echo(f"{file}: a valid {kind}")
