"""Things that stand outdoors, each built around the origin, its front towards -z."""

from __future__ import annotations

import numpy as np

from dpt_bench.scenes.content import palette
from dpt_bench.scenes.content.palette import hue, pick
from dpt_bench.scenes.labels import Label
from dpt_bench.scenes.raycast.materials import Colour, Material, blend, paint, shade_of
from dpt_bench.scenes.raycast.solids import (
    BOX_NORMALS,
    Solid,
    Thing,
    Triple,
    box,
    cylinder,
    dome,
    ellipsoid,
    frustum,
    gable,
    polytope,
    transform,
    turn,
)  # fmt: skip

Rng = np.random.Generator


def car(rng: Rng) -> Thing:
    """A saloon, hatchback or van; its nose points to -z."""
    colour = hue(rng, palette.CARS)
    if rng.random() < 0.18:
        return van(rng)
    body = paint("car_side", Label.CAR, colour, shade_of(colour, 0.9), shade_of(colour, 0.3))
    roof = paint("plain", Label.CAR, colour)
    front = paint("car_end", Label.CAR, colour, (250, 244, 220), palette.DARK)
    back = paint("car_end", Label.CAR, colour, (190, 24, 24), shade_of(colour, 0.4))
    glass = paint("glass", Label.CAR, (40, 50, 62), (130, 150, 168), shade_of(colour, 0.85))
    long, wide, tall = rng.uniform(3.7, 4.6), rng.uniform(1.68, 1.85), rng.uniform(0.52, 0.66)
    cabin = rng.uniform(0.5, 0.62) * long
    set_back = rng.uniform(-0.05, 0.3)
    return [
        box((wide, tall, long), (0, 0.26, 0), body, body, roof, roof, back, front),
        frustum(
            (wide - 0.1, rng.uniform(0.5, 0.62), cabin), (0, 0.26 + tall, set_back), (0.2, 0.42),
            glass, glass, roof, roof, glass, glass,
        ),
        *_wheels(wide, long * 0.31, 0.62),
    ]  # fmt: skip


def _wheels(wide: float, along: float, diameter: float) -> Thing:
    rubber = paint("plain", Label.CAR, (26, 26, 28))
    rim = paint("plain", Label.CAR, (150, 152, 156))
    lying = turn(0, 0, np.pi / 2)
    thing: Thing = []
    for z in (-along, along):
        for side in (-1, 1):
            x = side * (wide / 2 - 0.1)
            thing.append(cylinder(diameter, 0.24, (x + 0.12, diameter / 2, z), rubber, rotation=lying))
            thing.append(cylinder(diameter * 0.55, 0.26, (x + 0.13, diameter / 2, z), rim, rotation=lying))
    return thing


def van(rng: Rng) -> Thing:
    """A van, lorry or bus; its nose points to -z."""
    colour = hue(rng, palette.CARS)
    long, wide, tall = rng.uniform(4.8, 9.0), rng.uniform(1.95, 2.4), rng.uniform(1.9, 2.7)
    back = paint("van_end", Label.CAR, colour, (190, 24, 24), shade_of(colour, 0.3))
    front = paint("car_end", Label.CAR, colour, (250, 244, 220), palette.DARK)
    glass = paint("glass", Label.CAR, (40, 50, 62), (130, 150, 168), shade_of(colour, 0.85))
    roof = paint("plain", Label.CAR, shade_of(colour, 1.1))
    if rng.random() < 0.4:  # a bus: a band of windows along its sides
        side = paint("facade", Label.CAR, colour, palette.GLASS, palette.DARK, size=(1.2, tall))
        nose = box((wide, tall * 0.5, 0.1), (0, 0.4 + tall * 0.42, -long / 2), glass)
        body = box((wide, tall, long), (0, 0.4, 0), side, side, roof, roof, back, front)
        return [body, nose, *_wheels(wide, long * 0.3, 0.8)]
    side = paint("car_side", Label.CAR, colour, shade_of(colour, 0.9), shade_of(colour, 0.3))
    cab = -long / 2 + 0.6
    return [
        box((wide, tall, long - 1.2), (0, 0.4, 0.6), side, side, roof, roof, back, roof),
        box((wide * 0.97, tall * 0.5, 1.3), (0, 0.4, cab), side, side, roof, roof, front, front),
        frustum((wide * 0.96, tall * 0.42, 1.3), (0, 0.4 + tall * 0.5, cab), (0.1, 0.3), glass),
        *_wheels(wide, long * 0.31, 0.72),
    ]


def leafage(rng: Rng, colour: Colour, size: Triple, centre: Triple) -> Solid:
    """One clump of leaves."""
    bright = shade_of(colour, rng.uniform(0.85, 1.2))
    material = paint(
        "foliage", Label.TREE, bright, shade_of(bright, 1.4), shade_of(bright, 0.35),
        size=0.25 * float(np.sqrt(size[0])), seed=int(rng.integers(99)),
    )  # fmt: skip
    return ellipsoid(size, centre, material, ragged=rng.uniform(0.7, 1.15))


def tree(rng: Rng, height: float | None = None, *, autumn: bool = False) -> Thing:
    """A broad-leaved tree, or one in three times a conifer."""
    tall = height or rng.uniform(4.5, 9.5)
    bark = paint("noise", Label.TREE, hue(rng, ((104, 82, 62), (92, 84, 76), (126, 108, 88))), size=(0.2, 0.2))
    colour = hue(rng, palette.AUTUMN if autumn and rng.random() < 0.7 else palette.LEAVES)
    if rng.random() < 0.3:
        return _conifer(rng, tall, bark)
    trunk = 0.035 * tall + 0.1
    thing = [cylinder(trunk, tall * 0.6, (0, 0, 0), bark)]
    crown = tall * rng.uniform(0.6, 0.85)
    for clump in range(int(rng.integers(4, 7))):
        angle = clump * 2.4 + rng.uniform(0, 1)
        reach = 0.0 if clump == 0 else crown * rng.uniform(0.18, 0.32)
        wide = crown * (rng.uniform(0.7, 0.85) if clump == 0 else rng.uniform(0.42, 0.65))
        y = tall * 0.7 if clump == 0 else tall * rng.uniform(0.5, 0.84)
        centre = (reach * np.cos(angle), y, reach * np.sin(angle))
        thing.append(leafage(rng, colour, (wide, wide * rng.uniform(0.6, 0.85), wide), centre))
    return thing


def _conifer(rng: Rng, tall: float, bark: Material) -> Thing:
    colour = hue(rng, ((52, 84, 58), (64, 92, 60), (44, 76, 66)))
    material = paint("foliage", Label.TREE, colour, shade_of(colour, 1.4), shade_of(colour, 0.4), size=0.5)
    thing = [cylinder(0.03 * tall + 0.08, tall * 0.3, (0, 0, 0), bark)]
    for tier in range(4):
        low = tall * (0.15 + 0.2 * tier)
        wide = tall * (0.44 - 0.085 * tier)
        thing.append(dome((wide, tall * 0.36, wide), (0, low, 0), material, ragged=0.6))
    return thing


def bush(rng: Rng) -> Thing:
    """A bush of half a metre to two."""
    colour = hue(rng, palette.LEAVES)
    wide, tall = rng.uniform(0.7, 2.2), rng.uniform(0.5, 1.5)
    return [
        leafage(rng, colour, (wide, tall * 1.2, wide), (0, tall * 0.45, 0)),
        leafage(rng, colour, (wide * 0.7, tall, wide * 0.7), (wide * 0.4, tall * 0.4, 0.1)),
    ]


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
