"""The [layout] of `paired_files`: patterns that find the files which belong together, and how images fall to splits."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Literal

from pydantic import Field, model_validator

from dpt_bench.core.toml import Strict

PLACEHOLDER = re.compile(r"\{(\w+)\}")
PIECE = re.compile(r"(\{\w+\}|\*)")

Sensor = Literal["perfect", "structured_light", "structure_from_motion", "stereo"]


class Layout(Strict):
    """See `paired_files` for what each option does; `sensor` and the `example_...` ones shape example trees alone."""

    image: str
    target: str
    masks: tuple[str, ...] = ()
    mask_above: float = 0.0
    masks_required: bool = True
    exclude: tuple[str, ...] = ()
    known_bad: tuple[str, ...] = ()
    offset: float = 0.0
    sky: float | None = None
    channel: str | None = None
    disparity_in_pixels: bool = False
    fit_target_to_image: bool = False
    min_valid_fraction: float = Field(default=0.0, ge=0, lt=1)
    val_scenes: tuple[str, ...] = ()
    val_fraction: float | None = Field(default=None, gt=0, lt=1)
    sensor: Sensor = "perfect"
    example_folder: str = ""
    example_scenes: tuple[str, ...] = ()
    example_digits: int = 6
    example_mask: int = 255

    @model_validator(mode="after")
    def _patterns_agree(self) -> Layout:
        if "stem" not in self.names:
            raise ValueError(f"image = {self.image!r} lacks {{stem}}")
        shared = set(PLACEHOLDER.findall(self.target))
        if "stem" not in shared or not shared <= set(self.names):
            raise ValueError(f"target = {self.target!r} must have {{stem}}, and no {{names}} that image has not")
        if any(set(PLACEHOLDER.findall(mask)) != shared for mask in self.masks):
            raise ValueError("masks must have the same {names} as target")
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


@lru_cache(maxsize=1024)
def compile_pattern(pattern: str, shortest_stem: int | None = None) -> re.Pattern[str]:
    """A regular expression for the tail of a path; cases of letters do not matter, as endings differ in the wild.

    {stem} is as long as possible; with `shortest_stem`, as short as possible from so many characters on.
    """
    parts = []
    for piece in PIECE.split(pattern):
        if piece == "*":
            parts.append("[^/]*")
        elif piece == "{stem}" and shortest_stem is not None:
            parts.append(f"(?P<stem>[^/]{{{shortest_stem},}}?)")
        elif PIECE.fullmatch(piece):
            parts.append(f"(?P<{piece[1:-1]}>[^/]+)")
        else:
            parts.append(re.escape(piece))
    return re.compile(f"(?:.*/)?{''.join(parts)}", re.IGNORECASE)


def readings(pattern: str, path: str) -> Iterator[re.Match[str]]:
    """All ways in which a path fits a pattern, the shortest {stem} first.

    "{stem}_*.png" reads a_1_up.png as a and as a_1: which of them is meant, only the images can say.
    """
    shortest = 1
    while (match := compile_pattern(pattern, shortest).fullmatch(path)) is not None:
        yield match
        shortest = len(match["stem"]) + 1


def fill(pattern: str, values: Mapping[str, str]) -> str:
    """The pattern with its {names} filled in and nothing for *."""
    return pattern.format(**values).replace("*", "")
