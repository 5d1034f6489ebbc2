"""The shell of a room: walls, floor and ceiling, and what hangs on its walls."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dpt_bench.scenes.content import household, palette
from dpt_bench.scenes.content.palette import hue, pick
from dpt_bench.scenes.labels import Label
from dpt_bench.scenes.raycast.materials import Material, paint, shade_of
from dpt_bench.scenes.raycast.solids import Thing, box, move

Rng = np.random.Generator


@dataclass(frozen=True)
class Wall:
    """A wall as seen by things with their back to it: turned by `yaw`, `away` from the middle, 2 * `half` long."""

    yaw: float
    away: float
    half: float

    def put(self, thing: Thing, along: float) -> Thing:
        """The thing with its back to the wall, `along` its length from the middle."""
        deepest = max(solid.centre[2] + solid.half[2] for solid in thing)
        placed = move(thing, along, self.away - float(deepest) - 0.02)
        return move(placed, 0.0, 0.0, yaw=self.yaw)

    def spot(self, along: float, depth: float) -> tuple[float, float]:
        """(x, z) of a point `depth` before the wall."""
        away = self.away - depth
        sin, cos = np.sin(self.yaw), np.cos(self.yaw)
        return float(along * cos + away * sin), float(-along * sin + away * cos)


def shell(rng: Rng) -> tuple[Material, ...]:
    """Materials of walls, floor and ceiling, in the order of `solids.box`."""
    colour = hue(rng, palette.WALLS)
    style = rng.random()
    if style < 0.62:
        wall = paint("plain", Label.WALL, colour)
    elif style < 0.78:
        wall = paint("stripes", Label.WALL, colour, shade_of(colour, 0.93), size=rng.uniform(0.15, 0.4))
    elif style < 0.9:
        wall = paint("tiles", Label.WALL, colour, colour, shade_of(colour, 0.8), size=rng.uniform(0.2, 0.45))
    else:
        wall = paint("brick", Label.WALL, colour, shade_of(colour, 0.86), shade_of(colour, 0.7), size=(0.26, 0.09))
    ceiling = paint("plain", Label.CEILING, hue(rng, ((240, 240, 236), (232, 228, 220))))
    return wall, wall, ceiling, _floor(rng), wall, wall


def _floor(rng: Rng) -> Material:
    style = rng.random()
    if style < 0.5:
        colour = hue(rng, palette.WOODS)
        return paint("planks", Label.FLOOR, colour, shade_of(colour, 0.82), shade_of(colour, 0.5), size=(1.4, 0.15))
    if style < 0.75:
        colour = hue(rng, palette.STONES)
        return paint(
            "tiles",
            Label.FLOOR,
            colour,
            shade_of(colour, pick(rng, (0.97, 0.6))),
            shade_of(colour, 0.6),
            size=pick(rng, (0.3, 0.45, 0.6)),
        )
    colour = hue(rng, palette.CARPETS)
    return paint("noise", Label.FLOOR, colour, shade_of(colour, 1.1), shade_of(colour, 0.85), size=0.12)


def door(rng: Rng) -> Thing:
    """A closed door."""
    oak = hue(rng, palette.WOODS) if rng.random() < 0.5 else palette.WHITE
    leaf = paint("door", Label.DOOR, oak, shade_of(oak, 0.85), palette.METAL)
    return [household.hanging(oak, (0.9, 2.05), leaf, 0.0, 0.0)]


def window(rng: Rng, top: float) -> Thing:
    """A window, often with curtains; `top` is the height of the room."""
    across, low = rng.uniform(1.0, 2.0), rng.uniform(0.75, 1.0)
    tall = min(top - 0.25, 2.3) - low
    glass = paint(
        "window", Label.WINDOW, (206, 224, 240), (110, 140, 90), palette.WHITE, glow=1.1, seed=int(rng.integers(99))
    )
    thing: Thing = [household.hanging(palette.WHITE, (across, tall), glass, low, 0.0)]
    if rng.random() < 0.6:
        colour = hue(rng, palette.FABRICS)
        cloth = paint("cloth", Label.CURTAIN, colour, shade_of(colour, 0.8), size=0.12)
        for side in (-1, 1):
            thing.append(box((0.34, tall + 0.5, 0.1), (side * (across / 2 + 0.1), low - 0.35, -0.1), cloth))
    return thing


def picture(rng: Rng) -> Thing:
    """A framed picture at eye level."""
    colours = hue(rng, palette.PAINTS), hue(rng, palette.PAINTS), palette.DARK
    art = paint("picture", Label.PAINTING, *colours, seed=int(rng.integers(99)))
    size = (rng.uniform(0.35, 1.1), rng.uniform(0.35, 0.8))
    return [household.hanging(palette.DARK, size, art, rng.uniform(1.25, 1.55), 0.0)]


def skirting(wall: Wall) -> Thing:
    """The board along a wall's foot."""
    white = paint("plain", Label.WALL, palette.WHITE)
    return wall.put([box((2 * wall.half, 0.1, 0.03), (0, 0, 0), white)], 0.0)
