"""Houses, rocks, posts and fences, each built around the origin, its front towards -z."""

from __future__ import annotations

import numpy as np

from dpt_bench.scenes.content import palette
from dpt_bench.scenes.content.palette import hue, pick
from dpt_bench.scenes.labels import Label
from dpt_bench.scenes.raycast.materials import Colour, Material, blend, paint, shade_of
from dpt_bench.scenes.raycast.solids import (
    BOX_NORMALS,
    Thing,
    Triple,
    box,
    cylinder,
    gable,
    polytope,
    transform,
    turn,
)  # fmt: skip

Rng = np.random.Generator


def rock(rng: Rng) -> Thing:
    """A boulder: a ball chiselled by random planes."""
    wide, tall = rng.uniform(0.7, 3.0), rng.uniform(0.5, 2.0)
    colour = hue(rng, palette.ROCKS)
    stone = paint("noise", Label.ROCK, colour, shade_of(colour, 1.2), shade_of(colour, 0.5), size=0.5)
    chisels = rng.normal(size=(16, 3))
    chisels /= np.linalg.norm(chisels, axis=1, keepdims=True)
    offsets = np.concatenate([np.ones(6), rng.uniform(0.72, 1.0, 16)])
    first, second = (np.concatenate([BOX_NORMALS, side * chisels]) for side in (1, -1))
    return [
        polytope((wide, tall * 1.4, wide * rng.uniform(0.7, 1.1)), (0, -0.35 * tall, 0), first, offsets, (stone,)),
        polytope((wide * 0.6, tall * 0.9, wide * 0.6), (wide * 0.4, -0.2 * tall, -0.2), second, offsets, (stone,)),
    ]


def wall_material(rng: Rng, label: Label = Label.BUILDING) -> Material:
    """Windows in plaster or in brick-coloured walls."""
    colour = hue(rng, palette.FACADES)
    frame = palette.WHITE if rng.random() < 0.6 else shade_of(colour, 0.5)
    glass = blend(palette.GLASS, (120, 150, 176), float(rng.uniform(0, 0.7)))
    return paint(
        "facade", label, colour, glass, frame, size=(rng.uniform(2.0, 3.4), rng.uniform(2.9, 3.5)),
        seed=int(rng.integers(999)),
    )  # fmt: skip


def building(rng: Rng, size: Triple) -> Thing:
    """A town house with a flat or pitched roof; size is (width, height, depth)."""
    across, tall, deep = size
    wall, roof_colour = wall_material(rng), hue(rng, palette.ROOFS)
    roof = paint("tiles", Label.BUILDING, roof_colour, shade_of(roof_colour, 0.9), shade_of(roof_colour, 0.6), size=0.6)
    plain = paint("plain", Label.BUILDING, shade_of(wall.colours[0], 1.1))
    thing = [box(size, (0, 0, 0), wall, roof)]
    if rng.random() < 0.4 and tall < 14:
        thing += transform(
            [gable((deep + 0.5, across * 0.3, across + 0.3), (0, tall, 0), roof, plain)], turn(np.pi / 2), np.zeros(3)
        )
    else:
        thing.append(box((across + 0.5, 0.4, deep + 0.5), (0, tall - 0.1, 0), plain))
        if rng.random() < 0.4:
            thing.append(box((across + 0.3, 0.22, deep + 0.3), (0, wall.size[1], 0), plain))
    return thing


def house(rng: Rng) -> Thing:
    """A cottage with a gabled roof, a door and a chimney."""
    across, tall, deep = rng.uniform(6, 10), rng.uniform(2.8, 5.4), rng.uniform(6, 9)
    wall, roof_colour = wall_material(rng), hue(rng, palette.ROOFS)
    roof = paint(
        "brick", Label.BUILDING, roof_colour, shade_of(roof_colour, 0.85), shade_of(roof_colour, 0.6), size=(0.35, 0.3)
    )
    plain = paint("plain", Label.BUILDING, shade_of(wall.colours[0], 1.05))
    brick = paint("brick", Label.BUILDING, *_bricks(rng), size=(0.25, 0.09))
    oak = paint("door", Label.DOOR, hue(rng, palette.WOODS), palette.WHITE, palette.METAL)
    return [
        box((across, tall, deep), (0, 0, 0), wall),
        gable((across + 0.8, rng.uniform(2, 3.4), deep + 0.6), (0, tall, 0), roof, plain),
        box((0.7, 3.2, 0.7), (across * 0.25, tall + 0.3, deep * 0.2), brick),
        box((1.0, 2.1, 0.1), (rng.uniform(-1, 1), 0, -deep / 2 - 0.03), oak),
    ]


def _bricks(rng: Rng) -> tuple[Colour, Colour, Colour]:
    colour = hue(rng, palette.BRICKS)
    return colour, shade_of(colour, 0.8), (190, 182, 170)


def brick_material(rng: Rng, label: Label) -> Material:
    """Bricks with light mortar."""
    return paint("brick", label, *_bricks(rng), size=(0.26, 0.09), seed=int(rng.integers(99)))


def street_lamp(rng: Rng) -> Thing:
    """A lamp post whose arm reaches towards -z."""
    metal = paint("plain", Label.POLE, hue(rng, ((90, 94, 98), (60, 70, 64))))
    tall = rng.uniform(4.5, 7.5)
    light = paint("plain", Label.POLE, palette.WHITE, glow=0.3)
    return [
        cylinder(0.16, tall, (0, 0, 0), metal),
        box((0.08, 0.08, 1.5), (0, tall - 0.1, -0.7), metal),
        box((0.24, 0.12, 0.6), (0, tall - 0.2, -1.4), light),
    ]


def road_sign(rng: Rng) -> Thing:
    """A sign on a pole."""
    metal = paint("plain", Label.POLE, palette.METAL)
    plate = paint(
        "rug", Label.SIGNBOARD, pick(rng, ((40, 80, 160), (200, 40, 40), (230, 200, 60))), palette.WHITE, palette.WHITE
    )
    tall = rng.uniform(2.2, 2.9)
    return [cylinder(0.08, tall, (0, 0, 0.04), metal), box((0.7, 0.7, 0.04), (0, tall - 0.7, 0), plate)]


def fence(rng: Rng, long: float) -> Thing:
    """Posts and rails along x."""
    timber = paint("planks", Label.FENCE, hue(rng, palette.WOODS), size=(1.5, 0.12))
    thing: Thing = [box((long, 0.12, 0.05), (0, y, 0), timber) for y in (0.45, 0.85)]
    for number in range(int(long / 2) + 1):
        thing.append(box((0.12, 1.1, 0.12), (-long / 2 + 2 * number, 0, 0), timber))
    return thing
