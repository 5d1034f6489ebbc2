"""Things that stand in rooms, each built around the origin with its back towards +z, its front towards -z."""

from __future__ import annotations

import numpy as np

from dpt_bench.scenes.content import palette
from dpt_bench.scenes.content.palette import hue, pick
from dpt_bench.scenes.labels import Label
from dpt_bench.scenes.raycast.materials import Colour, Material, paint, shade_of
from dpt_bench.scenes.raycast.solids import Solid, Thing, box, cylinder, dome, ellipsoid, frustum

Rng = np.random.Generator


def wood(rng: Rng, label: Label) -> Material:
    """Boards of some wood."""
    colour = hue(rng, palette.WOODS)
    return paint("planks", label, colour, shade_of(colour, 0.86), shade_of(colour, 0.55), size=(1.2, 0.16))


def _timber(boards: Material) -> Material:
    """The wood of some boards for thin pieces, which show no joints."""
    return paint("plain", boards.label, *boards.colours)


def _legs(size: tuple[float, float], height: float, thickness: float, material: Material, y: float = 0.0) -> Thing:
    across, along = size[0] / 2 - thickness, size[1] / 2 - thickness
    return [
        box((thickness, height, thickness), (x, y, z), material) for x in (-across, across) for z in (-along, along)
    ]


def table(rng: Rng, size: tuple[float, float] | None = None, height: float = 0.74) -> Thing:
    """A table, often with something on it."""
    across, along = size or (rng.uniform(1.1, 1.9), rng.uniform(0.7, 0.95))
    material = wood(rng, Label.TABLE)
    thing = [box((across, 0.05, along), (0, height - 0.05, 0), material)]
    thing += _legs((across, along), height - 0.05, 0.07, _timber(material))
    return thing + clutter(rng, across * 0.8, along * 0.6, height)


def clutter(rng: Rng, across: float, along: float, height: float) -> Thing:
    """Books, cups, bowls and a plant on a surface at `height`."""
    thing: Thing = []
    for _ in range(int(rng.integers(1, 4))):
        x, z = rng.uniform(-across / 2, across / 2), rng.uniform(-along / 2, along / 2)
        colour = hue(rng, palette.PAINTS)
        kind = rng.integers(4)
        if kind == 0:
            thing.append(cylinder(0.09, 0.11, (x, height, z), paint("plain", Label.BOX, colour)))
        elif kind == 1:
            size = (rng.uniform(0.16, 0.3), rng.uniform(0.03, 0.12), 0.22)
            thing.append(box(size, (x, height, z), paint("plain", Label.BOX, colour), yaw=rng.uniform(0, 3)))
        elif kind == 2:
            thing.append(
                ellipsoid((0.26, 0.2, 0.26), (x, height + 0.1, z), paint("noise", Label.BOX, colour, size=0.1))
            )
        else:
            thing.append(cylinder(0.12, 0.14, (x, height, z), paint("plain", Label.BOX, colour)))
            thing.append(_leaves(rng, (0.3, 0.36, 0.3), (x, height + 0.26, z), Label.PLANT, 0.12))
    return thing


def _leaves(
    rng: Rng, size: tuple[float, float, float], centre: tuple[float, float, float], label: Label, bump: float
) -> Solid:
    colour = hue(rng, palette.LEAVES)
    material = paint(
        "foliage", label, colour, shade_of(colour, 1.35), shade_of(colour, 0.4), size=bump, seed=int(rng.integers(99))
    )
    return ellipsoid(size, centre, material, ragged=0.9)


def chair(rng: Rng) -> Thing:
    """A chair with a straight back."""
    material = paint("plain", Label.CHAIR, hue(rng, palette.WOODS if rng.random() < 0.6 else palette.FABRICS))
    seat = rng.uniform(0.42, 0.5)
    thing = [
        box((seat, 0.05, seat), (0, 0.43, 0), material),
        box((seat, 0.42, 0.05), (0, 0.5, seat / 2 - 0.03), material),
    ]
    return thing + _legs((seat, seat), 0.43, 0.045, material)


def office_chair(rng: Rng) -> Thing:
    """A swivel chair."""
    cloth = paint("plain", Label.CHAIR, hue(rng, palette.FABRICS, 0.3))
    metal = paint("plain", Label.CHAIR, palette.DARK)
    return [
        box((0.5, 0.09, 0.5), (0, 0.44, 0), cloth),
        box((0.46, 0.6, 0.08), (0, 0.56, 0.25), cloth),
        cylinder(0.07, 0.4, (0, 0.05, 0), metal),
        box((0.6, 0.05, 0.08), (0, 0.02, 0), metal, yaw=0.5),
        box((0.6, 0.05, 0.08), (0, 0.02, 0), metal, yaw=2.1),
    ]


def sofa(rng: Rng) -> Thing:
    """A sofa of one to three seats with cushions."""
    seats = int(rng.integers(1, 4))
    across = 0.66 * seats + 0.4
    colour = hue(rng, palette.FABRICS)
    cloth = paint("cloth", Label.SOFA, colour, shade_of(colour, 0.9), size=0.5)
    light = paint("plain", Label.SOFA, shade_of(colour, 1.15))
    thing = [
        box((across, 0.28, 0.86), (0, 0.08, 0), cloth),
        box((across, 0.5, 0.24), (0, 0.34, 0.34), cloth),
        box((0.2, 0.56, 0.88), (-across / 2, 0.06, 0), cloth),
        box((0.2, 0.56, 0.88), (across / 2, 0.06, 0), cloth),
    ]
    for seat in range(seats):
        x = 0.66 * (seat - (seats - 1) / 2)
        thing.append(box((0.62, 0.14, 0.62), (x, 0.36, -0.1), light))
    if rng.random() < 0.7:
        pillow = paint("stripes", Label.SOFA, hue(rng, palette.PAINTS), palette.WHITE, size=0.12)
        thing.append(ellipsoid((0.42, 0.4, 0.18), (across / 2 - 0.4, 0.66, 0.14), pillow))
    return thing


def bed(rng: Rng) -> Thing:
    """A bed with its head towards +z."""
    across = rng.uniform(0.95, 1.7)
    frame, colour = wood(rng, Label.BED), hue(rng, palette.FABRICS)
    cover = paint("cloth", Label.BED, colour, shade_of(colour, 1.15), size=0.7)
    sheet = paint("plain", Label.BED, palette.WHITE)
    thing = [
        box((across, 0.3, 2.05), (0, 0.05, 0), frame),
        box((across - 0.04, 0.22, 2.0), (0, 0.33, 0), sheet),
        box((across + 0.06, 0.2, 1.4), (0, 0.38, -0.32), cover),
        box((across + 0.1, rng.uniform(0.85, 1.2), 0.07), (0, 0, 1.04), frame),
    ]
    pillows = (0.0,) if across < 1.25 else (-across / 4, across / 4)
    return thing + [ellipsoid((0.62, 0.22, 0.42), (x, 0.6, 0.72), sheet) for x in pillows]


def cupboard(rng: Rng, height: float | None = None) -> Thing:
    """A wardrobe, chest or sideboard with doors and handles."""
    tall = height or pick(rng, (0.8, 1.1, 1.9, 2.1))
    colour = hue(rng, palette.WOODS) if rng.random() < 0.65 else hue(rng, palette.WALLS)
    across, deep = rng.uniform(0.8, 1.7), rng.uniform(0.4, 0.62)
    doors = paint(
        "cupboard", Label.CABINET, colour, shade_of(colour, 0.9), palette.DARK, size=(0.5, 0.9 if tall > 1.5 else 0.4)
    )
    plain = paint("plain", Label.CABINET, shade_of(colour, 0.95))
    thing = [box((across, tall, deep), (0, 0, 0), plain, plain, plain, plain, plain, doors)]
    if tall < 1.3:
        thing += clutter(rng, across * 0.8, deep * 0.5, tall)
    return thing


def bookshelf(rng: Rng) -> Thing:
    """Shelves full of books."""
    across, tall = rng.uniform(0.8, 1.8), rng.uniform(1.4, 2.2)
    colour = hue(rng, palette.WOODS)
    books = paint(
        "shelf", Label.SHELF, hue(rng, palette.FABRICS), hue(rng, palette.PAINTS), colour, size=(1.0, 0.34),
        seed=int(rng.integers(999)),
    )  # fmt: skip
    plain = paint("plain", Label.SHELF, colour)
    return [box((across, tall, 0.32), (0, 0, 0), plain, plain, plain, plain, plain, books)]


def desk(rng: Rng) -> Thing:
    """A desk with a monitor or two, a keyboard and clutter."""
    across = rng.uniform(1.3, 1.9)
    material = wood(rng, Label.TABLE) if rng.random() < 0.5 else paint("plain", Label.TABLE, hue(rng, palette.WALLS))
    drawers = paint("cupboard", Label.TABLE, hue(rng, palette.WALLS), size=(0.4, 0.2))
    thing = [
        box((across, 0.04, 0.8), (0, 0.7, 0), material),
        box((0.42, 0.7, 0.7), (across / 2 - 0.24, 0, 0.02), drawers),
        box((0.05, 0.7, 0.75), (-across / 2 + 0.04, 0, 0), material),
    ]
    for x in (0.0,) if rng.random() < 0.5 else (-0.33, 0.33):
        thing += monitor(rng, x, 0.74, 0.18)
    keys = paint("tiles", Label.BOX, (60, 60, 64), (84, 84, 88), palette.DARK, size=0.03)
    thing.append(box((0.44, 0.025, 0.15), (rng.uniform(-0.1, 0.1), 0.74, -0.18), keys))
    return thing + clutter(rng, across * 0.9, 0.5, 0.74)


def monitor(rng: Rng, x: float, y: float, z: float) -> Thing:
    """A computer screen on its foot, its bottom at height y."""
    dark = paint("plain", Label.SCREEN, palette.DARK)
    lines, paper = (hue(rng, palette.PAINTS), palette.WHITE) if rng.random() < 0.5 else ((150, 200, 160), (30, 40, 60))
    face = paint("screen", Label.SCREEN, paper, lines, palette.DARK, glow=0.7, seed=int(rng.integers(99)))
    return [
        box((0.2, 0.02, 0.16), (x, y, z), dark),
        box((0.05, 0.14, 0.04), (x, y, z + 0.04), dark),
        box((0.54, 0.34, 0.04), (x, y + 0.12, z), dark, dark, dark, dark, dark, face),
    ]


def television(rng: Rng) -> Thing:
    """A low stand with a television."""
    dark = paint("plain", Label.SCREEN, palette.DARK)
    face = paint("picture", Label.SCREEN, hue(rng, palette.PAINTS), hue(rng, palette.PAINTS), palette.DARK, glow=0.5)
    across = rng.uniform(0.9, 1.3)
    stand = cupboard(rng, 0.5)
    return [stand[0], box((across, across * 0.58, 0.07), (0, 0.56, 0), dark, dark, dark, dark, dark, face)]


def floor_lamp(rng: Rng) -> Thing:
    """A lamp on a tall stand."""
    metal = paint("plain", Label.LAMP, palette.METAL)
    shade = paint("plain", Label.LAMP, hue(rng, ((240, 226, 190), (236, 210, 170))), glow=0.8)
    tall = rng.uniform(1.3, 1.7)
    return [
        cylinder(0.3, 0.03, (0, 0, 0), metal),
        cylinder(0.03, tall, (0, 0, 0), metal),
        frustum((0.44, 0.3, 0.44), (0, tall - 0.05, 0), (0.45, 0.45), shade),
    ]


def potted_plant(rng: Rng) -> Thing:
    """A large plant in its pot."""
    pot = paint("plain", Label.PLANT, hue(rng, ((170, 96, 64), (210, 206, 196), (70, 74, 80))))
    tall = rng.uniform(0.5, 1.2)
    thing: Thing = [cylinder(0.36, 0.34, (0, 0, 0), pot)]
    for _ in range(3):
        x, z, y = rng.uniform(-0.16, 0.16), rng.uniform(-0.16, 0.16), rng.uniform(0.4, 0.4 + tall * 0.6)
        thing.append(_leaves(rng, (0.55, 0.6 * tall + 0.2, 0.55), (x, y + 0.15, z), Label.PLANT, 0.2))
    return thing


def crate(rng: Rng) -> Thing:
    """A cardboard box, a bin or a stool."""
    kind = rng.integers(3)
    if kind == 0:
        colour = hue(rng, ((180, 140, 94), (196, 160, 112)))
        card = paint("cupboard", Label.BOX, colour, size=(2.0, 2.0))
        size = (rng.uniform(0.3, 0.6), rng.uniform(0.25, 0.5), rng.uniform(0.3, 0.5))
        return [box(size, (0, 0, 0), card)]
    if kind == 1:
        return [cylinder(0.3, 0.4, (0, 0, 0), paint("plain", Label.BOX, hue(rng, palette.FABRICS)))]
    pouf = paint("cloth", Label.CHAIR, hue(rng, palette.FABRICS), size=0.2)
    return [dome((0.6, 0.42, 0.6), (0, 0, 0), pouf)]


def kitchen(rng: Rng, across: float, ceiling: float) -> Thing:
    """A counter with cupboards hanging above it; they bring near things high into the picture."""
    colour = hue(rng, palette.WALLS) if rng.random() < 0.5 else hue(rng, palette.WOODS)
    doors = paint("cupboard", Label.CABINET, colour, shade_of(colour, 0.92), palette.METAL, size=(0.5, 0.8))
    worktop = paint("noise", Label.CABINET, hue(rng, palette.STONES), hue(rng, palette.ROCKS), size=0.08)
    thing = [
        box((across, 0.86, 0.6), (0, 0, 0), doors),
        box((across, 0.05, 0.64), (0, 0.86, -0.02), worktop),
        box((across, min(0.75, ceiling - 1.55), 0.36), (0, 1.5, 0.12), doors),
    ]
    return thing + clutter(rng, across * 0.9, 0.3, 0.91)


def hanging(colour: Colour, size: tuple[float, float], pattern_material: Material, y: float, z: float) -> Solid:
    """A thin panel on a wall (a picture, door or window) that faces -z; its back lies at z."""
    rim = paint("plain", pattern_material.label, colour)
    return box((size[0], size[1], 0.05), (0, y, z - 0.025), rim, rim, rim, rim, rim, pattern_material)
