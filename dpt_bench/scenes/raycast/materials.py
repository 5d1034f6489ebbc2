"""What a surface looks like: a pattern in metres, three colours, a class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dpt_bench.scenes.labels import Label

Colour = tuple[float, float, float]
"""sRGB-like, 0 to 255."""

Pattern = Literal[
    "plain",
    "noise",
    "foliage",
    "brick",
    "planks",
    "tiles",
    "stripes",
    "facade",
    "road",
    "picture",
    "screen",
    "shelf",
    "door",
    "window",
    "cupboard",
    "car_side",
    "car_end",
    "van_end",
    "glass",
    "rug",
    "cloth",
]


@dataclass(frozen=True)
class Material:
    """colours: ground, second and third colour of the pattern. size: metres of one period along u and v.

    glow: light the surface gives off, as a multiple of its colour. seed: makes equal patterns differ.
    """

    pattern: Pattern
    label: Label
    colours: tuple[Colour, Colour, Colour]
    size: tuple[float, float] = (1.0, 1.0)
    glow: float = 0.0
    seed: int = 0


def shade_of(colour: Colour, factor: float) -> Colour:
    """The colour made lighter (factor > 1) or darker, kept within 0 to 255."""
    red, green, blue = (min(255.0, channel * factor) for channel in colour)
    return red, green, blue


def blend(first: Colour, second: Colour, amount: float) -> Colour:
    """From `first` (0) to `second` (1)."""
    red, green, blue = (a + (b - a) * amount for a, b in zip(first, second, strict=True))
    return red, green, blue


def paint(
    pattern: Pattern,
    label: Label,
    *colours: Colour,
    size: float | tuple[float, float] = 1.0,
    glow: float = 0.0,
    seed: int = 0,
) -> Material:
    """A material of one to three colours; the missing ones are darker shades of the first."""
    first = colours[0]
    second = colours[1] if len(colours) > 1 else shade_of(first, 0.75)
    third = colours[2] if len(colours) > 2 else shade_of(first, 0.5)
    periods = size if isinstance(size, tuple) else (size, size)
    return Material(pattern, label, (first, second, third), periods, glow, seed)
