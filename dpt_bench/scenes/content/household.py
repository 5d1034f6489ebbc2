"""Small things that stand about in rooms or hang on walls, built around the origin, the front towards -z."""

from __future__ import annotations

import numpy as np

from dpt_bench.scenes.content import palette
from dpt_bench.scenes.content.palette import hue
from dpt_bench.scenes.labels import Label
from dpt_bench.scenes.raycast.materials import Colour, Material, paint, shade_of
from dpt_bench.scenes.raycast.solids import Solid, Thing, box, cylinder, dome, ellipsoid, frustum

Rng = np.random.Generator


def wood(rng: Rng, label: Label) -> Material:
    """Boards of some wood."""
    colour = hue(rng, palette.WOODS)
    return paint("planks", label, colour, shade_of(colour, 0.86), shade_of(colour, 0.55), size=(1.2, 0.16))


def timber(boards: Material) -> Material:
    """The wood of some boards for thin pieces, which show no joints."""
    return paint("plain", boards.label, *boards.colours)


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


def hanging(colour: Colour, size: tuple[float, float], pattern_material: Material, y: float, z: float) -> Solid:
    """A thin panel on a wall (a picture, door or window) that faces -z; its back lies at z."""
    rim = paint("plain", pattern_material.label, colour)
    return box((size[0], size[1], 0.05), (0, y, z - 0.025), rim, rim, rim, rim, rim, pattern_material)
