"""Lists of images that define a split, kept as runs of numbers in data_recipes/splits."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from pydantic import Field, field_validator, model_validator

from dpt_bench.core.recipe import Recipe
from dpt_bench.core.resources import data_folder
from dpt_bench.core.toml import Strict, load_toml


class SplitList(Strict):
    """A list file. runs: group (a drive, a clip) -> numbers as "7 10-20 30-60/3": single, range, range with a step."""

    title: str
    source: str
    count: int = Field(ge=1)
    runs: dict[str, str]

    @field_validator("runs")
    @classmethod
    def _runs_are_readable(cls, runs: dict[str, str]) -> dict[str, str]:
        for text in runs.values():
            decode_runs(text)
        return runs

    @model_validator(mode="after")
    def _count_agrees(self) -> SplitList:
        found = sum(len(numbers) for numbers in self.numbers().values())
        if found != self.count:
            raise ValueError(f"count is {self.count} but the runs hold {found} numbers")
        return self

    def numbers(self) -> dict[str, list[int]]:
        """Group -> its numbers, ascending."""
        return {group: decode_runs(text) for group, text in self.runs.items()}


def decode_runs(text: str) -> list[int]:
    """The ascending numbers of "7 10-20 30-60/3".

    Raises:
        ValueError: a word is not a run, or the numbers do not ascend.
    """
    numbers: list[int] = []
    for word in text.split():
        span, _, step = word.partition("/")
        first, _, last = span.partition("-")
        run = range(int(first), int(last or first) + 1, int(step or 1))
        if not run:
            raise ValueError(f"{word!r} of {text!r} is no run")
        numbers += run
    if any(low >= high for low, high in pairwise(numbers)):
        raise ValueError(f"the numbers of {text!r} do not ascend")
    return numbers


def load_split_list(recipe: Recipe, split: str) -> dict[str, list[int]]:
    """Group -> numbers of a split defined by a list: a file of data_recipes/splits, or a path from the recipe.

    Raises:
        UsageError: the list is missing or breaks its schema.
    """
    name = recipe.splits[split].list_file
    assert name is not None, f"split {split} of {recipe.name} names no list_file"
    path = recipe.path.parent / name if name.endswith(".toml") else _packaged(name)
    return load_toml(path, SplitList).numbers()


def _packaged(name: str) -> Path:
    return data_folder("data_recipes") / "splits" / f"{name}.toml"
