"""`dpt-bench build-mix6`: `dpt-bench build` for the ten datasets of MIX 6."""

from __future__ import annotations

from inspect import signature
from typing import Any

from dpt_bench.cli.build import command as build


def command(**options: Any) -> None:
    """Convert the ten datasets of MIX 6 into shards of normalised inverse depth. Run again to resume.

    Example: [bold]dpt-bench build-mix6 --raw raw --out shards[/bold]
    """
    build(mix="mix6", **options)


_options = signature(build, eval_str=True)
_kept = [option for name, option in _options.parameters.items() if name != "mix"]
command.__signature__ = _options.replace(parameters=_kept)  # type: ignore[attr-defined]
command.__annotations__ = {option.name: option.annotation for option in _kept}
