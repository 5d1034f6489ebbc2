"""Things that stand in rooms, each built around the origin with its back towards +z, its front towards -z."""

from __future__ import annotations

import numpy as np

from dpt_bench.scenes.content import palette
from dpt_bench.scenes.content.household import clutter, monitor, timber, wood
from dpt_bench.scenes.content.palette import hue, pick
from dpt_bench.scenes.labels import Label
from dpt_bench.scenes.raycast.materials import Material, paint, shade_of
from dpt_bench.scenes.raycast.solids import Thing, box, cylinder, ellipsoid

Rng = np.random.Generator


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
    thing += _legs((across, along), height - 0.05, 0.07, timber(material))
    return thing + clutter(rng, across * 0.8, along * 0.6, height)


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


def television(rng: Rng) -> Thing:
    """A low stand with a television."""
    dark = paint("plain", Label.SCREEN, palette.DARK)
    face = paint("picture", Label.SCREEN, hue(rng, palette.PAINTS), hue(rng, palette.PAINTS), palette.DARK, glow=0.5)
    across = rng.uniform(0.9, 1.3)
    stand = cupboard(rng, 0.5)
    return [stand[0], box((across, across * 0.58, 0.07), (0, 0.56, 0), dark, dark, dark, dark, dark, face)]


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
