"""The recipe: the facts of one dataset, as a TOML file whose name is the dataset's name (DESIGN section 4.1)."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator

from dpt_bench.core.kinds import DepthKind
from dpt_bench.core.sample import Camera
from dpt_bench.core.toml import Strict, load_toml

SkyPolicy = Literal["infinity", "minimum", "invalid"]
NAME = re.compile(r"[a-z][a-z0-9_]*")


class TargetFacts(Strict):
    """How the target is stored. value in the unit of `kind` = stored number * scale."""

    kind: DepthKind | Literal["labels"]
    format: str
    scale: float = 1.0
    invalid: tuple[float, ...] = ()
    valid_range: tuple[float, float] | None = None
    sky_policy: SkyPolicy = "invalid"
    num_classes: int | None = None


class CameraFacts(Strict):
    """Intrinsics in pixels where the dataset has one camera for all images; baseline in metres."""

    fx: float
    fy: float
    cx: float
    cy: float
    baseline_m: float | None = None

    def camera(self) -> Camera:
        return Camera(self.fx, self.fy, self.cx, self.cy, self.baseline_m)


class SplitFacts(Strict):
    """One split. `images` is the official count; `list_file` names a file of data_recipes/splits without its ending."""

    images: int | None = None
    list_file: str | None = None
    keys_sha256: str | None = None
    note: str = ""


class Recipe(Strict):
    """All facts of one dataset.

    `reader` is a module of dpt_bench.readers, or a path to a Python file, relative to the recipe.
    `layout` holds what that reader needs: glob patterns, list names, thresholds; every reader checks its own keys.
    `expected_rejections` are reasons that a complete, sound copy is known to produce: they count against no ceiling.
    """

    name: str
    version: int = Field(ge=1)
    title: str
    citation: str
    licence: str
    homepage: str
    obtain: str
    reader: str
    layout: dict[str, str | float | int | bool | list[str]] = Field(default={})
    target: TargetFacts
    camera: CameraFacts | None = None
    splits: dict[str, SplitFacts]
    known_issues: tuple[str, ...] = ()
    expected_rejections: tuple[str, ...] = ()
    path: Path = Field(default=Path(), exclude=True, repr=False)

    @field_validator("name")
    @classmethod
    def _name_is_plain(cls, name: str) -> str:
        if not NAME.fullmatch(name):
            raise ValueError("a recipe's file name must be lower-case letters, digits and _, starting with a letter")
        return name

    @model_validator(mode="after")
    def _has_a_split(self) -> Recipe:
        if not self.splits:
            raise ValueError("a recipe needs at least one [splits.NAME] table")
        return self

    def sha256(self) -> str:
        """Hash of the facts: two builds agree only where it agrees."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


def load_recipe(path: Path) -> Recipe:
    """Read a recipe file; its stem is its name.

    Raises:
        UsageError: the file breaks the schema.
    """
    return load_toml(path, Recipe, name=path.stem, path=path.resolve())


def beside(file: Path, reference: str) -> str:
    """A recipe's name as it is; a path to a TOML made absolute, relative to the `file` that names it."""
    return str((file.parent / reference).resolve()) if reference.endswith(".toml") else reference
