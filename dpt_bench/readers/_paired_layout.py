"""The [layout] of `paired_files`: patterns that find the files which belong together, and how images fall to splits."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from pydantic import Field, model_validator

from dpt_bench.core.toml import Strict

PLACEHOLDER = re.compile(r"\{(\w+)\}")
PIECE = re.compile(r"(\{\w+\}|\*)")


class Layout(Strict):
    """See `paired_files` for what each option does."""

    image: str
    target: str
    masks: tuple[str, ...] = ()
    mask_above: float = 0.0
    masks_required: bool = True
    exclude: tuple[str, ...] = ()
    offset: float = 0.0
    sky: float | None = None
    channel: str | None = None
    val_scenes: tuple[str, ...] = ()
    val_fraction: float | None = Field(default=None, gt=0, lt=1)
    sensor: Literal["perfect", "structured_light", "structure_from_motion", "stereo"] = "perfect"
    example_folder: str = ""
    example_scenes: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _patterns_agree(self) -> Layout:
        if "stem" not in self.names:
            raise ValueError(f"image = {self.image!r} lacks {{stem}}")
        for pattern in (self.target, *self.masks):
            if set(PLACEHOLDER.findall(pattern)) != set(self.names):
                raise ValueError(f"{pattern!r} and image = {self.image!r} must have the same {{names}}")
        for scene in self.example_scenes:
            if scene.count("/") + 1 != len(self.scene_names):
                raise ValueError(f"example scene {scene!r} must fill {'/'.join(self.scene_names) or 'nothing'}")
        if self.scene_names and not self.example_scenes:
            raise ValueError(f"example_scenes must name a few scenes as {'/'.join(self.scene_names)}")
        rules = ["split" in self.names, bool(self.val_scenes), self.val_fraction is not None]
        if sum(rules) > 1:
            raise ValueError("at most one of {split}, val_scenes and val_fraction can make the splits")
        return self

    @property
    def names(self) -> list[str]:
        """The {names}, in the order of `image`."""
        return PLACEHOLDER.findall(self.image)

    @property
    def scene_names(self) -> list[str]:
        """The {names} that say where an image was taken."""
        return [name for name in self.names if name not in ("stem", "split")]


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """A regular expression for the tail of a path; cases of letters do not matter, as endings differ in the wild."""
    parts = []
    for piece in PIECE.split(pattern):
        if piece == "*":
            parts.append("[^/]*")
        elif PIECE.fullmatch(piece):
            parts.append(f"(?P<{piece[1:-1]}>[^/]+)")
        else:
            parts.append(re.escape(piece))
    return re.compile(f"(?:.*/)?{''.join(parts)}", re.IGNORECASE)


def fill(pattern: str, values: Mapping[str, str]) -> str:
    """The pattern with its {names} filled in and nothing for *."""
    return pattern.format(**values).replace("*", "")
