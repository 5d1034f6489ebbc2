"""The members of a mix that a build is about: each with its recipe and raw folder, or why it cannot be built."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dpt_bench.core.catalog import MIXES, RECIPES
from dpt_bench.core.errors import UnknownNameError, UsageError
from dpt_bench.core.mix import Member, Mix
from dpt_bench.core.recipe import Recipe
from dpt_bench.core.toml import read_toml


@dataclass(frozen=True)
class Found:
    """A member of the mix that can be planned. argument: its recipe's name, or the path of a user's own."""

    member: Member
    recipe: Recipe
    argument: str
    root: Path


@dataclass(frozen=True)
class Missing:
    """A member that cannot be planned here, and why."""

    name: str
    why: str


def load_mix_or_recipe(mix: str | Path | Mix) -> Mix:
    """The mix of this name, the one in this TOML file, or, where the file is a recipe, a mix of that recipe alone.

    Raises:
        UnknownNameError: no mix has the name.
        UsageError: the file is missing or breaks its schema.
    """
    if isinstance(mix, Mix):
        return mix
    path = Path(mix)
    if path.suffix != ".toml":
        return MIXES.load(str(mix))
    if "members" in read_toml(path):
        loaded = MIXES.load(path)
        return loaded.model_copy(update={"members": tuple(_beside(member, path) for member in loaded.members)})
    recipe = RECIPES.load(path)
    return Mix(
        name=recipe.name,
        version=recipe.version,
        title=recipe.title,
        citation=recipe.citation,
        members=(Member(recipe=str(path.resolve())),),
    )


def dataset_name(member: Member) -> str:
    """The dataset's name: the recipe's name, or the stem of its file."""
    return Path(member.recipe).stem if member.recipe.endswith(".toml") else member.recipe


def find_members(mix: Mix, raw: Path, datasets: Sequence[str] | None = None) -> list[Found | Missing]:
    """The members of a mix, or of it those named by `datasets`, in the order of the mix.

    Raises:
        UnknownNameError: a name is not in the mix.
        UsageError: `raw` is no folder.
    """
    if not raw.is_dir():
        fix = "give the folder that holds one folder a dataset, named as its recipe (see dpt-bench sample-data)"
        raise UsageError("the raw folder was not found", where=raw, fix=fix)
    names = [dataset_name(member) for member in mix.members]
    for name in datasets or ():
        if name not in names:
            raise UnknownNameError(f"dataset of {mix.name}", name, names)
    wanted = names if datasets is None else datasets
    return [_find(member, raw) for member in mix.members if dataset_name(member) in wanted]


def _find(member: Member, raw: Path) -> Found | Missing:
    name = dataset_name(member)
    is_file = member.recipe.endswith(".toml")
    try:
        recipe = RECIPES.load(member.recipe)
    except UnknownNameError:
        return Missing(name, "not readable by this version: it has no recipe of that name")
    root = raw / name
    if not root.is_dir() or not any(root.iterdir()):
        return Missing(name, f"nothing at {root}; {recipe.obtain}")
    return Found(member, recipe, str(recipe.path) if is_file else name, root.resolve())


def _beside(member: Member, mix_file: Path) -> Member:
    """A recipe's path in a mix file is relative to that file."""
    if not member.recipe.endswith(".toml"):
        return member
    return member.model_copy(update={"recipe": str((mix_file.resolve().parent / member.recipe).resolve())})
