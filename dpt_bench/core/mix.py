"""The mix: a named set of training recipes with weights."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from dpt_bench.core.recipe import beside
from dpt_bench.core.toml import Strict, load_toml


class Member(Strict):
    """One dataset of a mix.

    recipe: a name, or a path to a TOML, relative to the mix file.
    weight: its share of the samples drawn, relative to the other members (the paper: all equal).
    max_images: frame budget, None for all. stride: keep every n-th frame of a scene.
    """

    recipe: str
    weight: float = Field(default=1.0, gt=0)
    max_images: int | None = Field(default=None, ge=1)
    stride: int = Field(default=1, ge=1)


class Mix(Strict):
    """A named set of members; `citation` says which paper trained on it.

    short_title: how tables name what a model trained on, such as "MIX 6"; None for the names of all members.
    """

    name: str
    version: int = Field(ge=1)
    title: str
    short_title: str | None = None
    citation: str
    members: tuple[Member, ...] = Field(min_length=1)


def load_mix(path: Path) -> Mix:
    """Read a mix file; its stem is its name.

    Raises:
        UsageError: the file breaks the schema.
    """
    mix = load_toml(path, Mix, name=path.stem)
    members = tuple(member.model_copy(update={"recipe": beside(path, member.recipe)}) for member in mix.members)
    return mix.model_copy(update={"members": members})
