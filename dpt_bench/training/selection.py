"""Which datasets of the shards a preset trains on, and with which weights."""

from __future__ import annotations

from dataclasses import dataclass

from dpt_bench.core.errors import UnknownNameError, UsageError
from dpt_bench.shards import Shards
from dpt_bench.training.config import DataChoice


@dataclass(frozen=True)
class Selection:
    """names: recipe names, in the mix's order. weights: relative shares, None for equal ones. described: for people."""

    names: tuple[str, ...]
    weights: dict[str, float] | None
    described: str


def select_datasets(shards: Shards, choice: DataChoice) -> Selection:
    """What the preset wants of what is there.

    Raises:
        UsageError: the shards are of another mix.
        UnknownNameError: a wanted dataset is not in the shards.
    """
    manifest = shards.manifest
    if choice.mix is not None and choice.mix != manifest.mix:
        raise UsageError(
            f"the preset trains on the mix {choice.mix!r}, but these shards are of {manifest.mix!r}",
            where=shards.url,
            fix=f"give the shards of {choice.mix}, or say `--set data.mix={manifest.mix}`",
        )
    for name in choice.datasets or ():
        if name not in shards.datasets:
            raise UnknownNameError("dataset in these shards", name, shards.datasets)
    names = tuple(name for name in shards.datasets if choice.datasets is None or name in choice.datasets)
    weights = {name: manifest.weight(name) for name in names} if choice.weights == "mix" else None
    return Selection(names, weights, _described(manifest.mix, len(manifest.members), names))


def _described(mix: str, members: int, names: tuple[str, ...]) -> str:
    if len(names) == members:
        return mix
    return f"{mix} ({len(names)} of {members}: {', '.join(sorted(names))})"
