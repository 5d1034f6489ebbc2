"""Which datasets of the shards a run and each of its stages train on, and with which weights."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from dpt_bench.core.catalog import MIXES
from dpt_bench.core.errors import UnknownNameError, UsageError
from dpt_bench.shards import Shards
from dpt_bench.training.choices import DataChoice, StageChoice


@dataclass(frozen=True)
class Selection:
    """names: recipe names, in the mix's order. weights: relative shares, None for equal ones.

    mix: of the shards, with `num_members` datasets in all.
    """

    names: tuple[str, ...]
    weights: dict[str, float] | None
    mix: str
    num_members: int

    @property
    def described(self) -> str:
        """For people: "mix6", or "mix6 (2 of 10: irs, redweb)"."""
        if len(self.names) == self.num_members:
            return self.mix
        return f"{self.mix} ({len(self.names)} of {self.num_members}: {', '.join(sorted(self.names))})"

    def only(self, names: Collection[str]) -> Selection:
        """Without the datasets that are not among `names`."""
        kept = tuple(name for name in self.names if name in names)
        weights = None if self.weights is None else {name: self.weights[name] for name in kept}
        return replace(self, names=kept, weights=weights)


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
    return Selection(names, weights, manifest.mix, len(manifest.members))


def select_stage(selection: Selection, stage: StageChoice | None) -> Selection:
    """What a stage draws from.

    Raises:
        UsageError: nothing that it wants is there.
    """
    if stage is None:
        return selection
    wanted = set(selection.names)
    if stage.mix is not None:
        wanted &= {member.recipe for member in MIXES.load(stage.mix).members}
    if stage.datasets is not None:
        wanted &= set(stage.datasets)
    if not wanted:
        raise UsageError(
            f"the stage {stage.name!r} has none of its datasets: the run has {', '.join(selection.names)}",
            where="stages",
            fix="build shards of them too, or leave the stages out: `--set stages=[] --set epochs=60`",
        )
    return selection.only(wanted)
