"""Landmarks as tourists photograph them: church, temple, arch, tower or palace on a square with people."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dpt_bench.scenes.content import outdoors, palette, plants
from dpt_bench.scenes.content.landscapes import backdrop
from dpt_bench.scenes.content.outlook import Outlook
from dpt_bench.scenes.content.palette import hue, pick
from dpt_bench.scenes.content.people import person
from dpt_bench.scenes.content.weather import daylight
from dpt_bench.scenes.labels import Label
from dpt_bench.scenes.raycast.materials import Material, paint, shade_of
from dpt_bench.scenes.raycast.solids import Thing, box, cylinder, dome, frustum, gable, ground, move
from dpt_bench.scenes.raycast.world import World

Rng = np.random.Generator


def build_landmark(rng: Rng, outlook: Outlook, *, drama: float = 0.15) -> World:
    """A monument some way off, flanked by town houses or trees, with visitors before it."""
    stone = hue(rng, palette.STONES)
    paving = paint(
        "tiles",
        Label.SIDEWALK,
        stone,
        shade_of(stone, rng.uniform(0.75, 0.95)),
        shade_of(stone, 0.7),
        size=rng.uniform(0.6, 1.6),
    )
    solids: Thing = [ground(paving, 400.0)]
    far = rng.uniform(12, 42)
    monument = pick(rng, (_church, _temple, _arch, _tower, _palace))
    solids += move(monument(rng), rng.uniform(-0.2, 0.2) * far, far + 8, yaw=rng.uniform(-0.7, 0.7))
    for side in (-1, 1):
        if rng.random() < 0.65:
            solids += _flank(rng, side, far)
    for _ in range(int(rng.integers(2, 9))):
        z = 3.0 + (far - 4) * rng.random() ** 1.4
        visitor = person(rng, detailed=z < 12)
        solids += move(visitor, float(rng.uniform(-0.6, 0.6) * z), z, yaw=rng.uniform(-3.2, 3.2))
    if rng.random() < 0.5:
        z = rng.uniform(5, far * 0.7)
        solids += move(_statue(rng), rng.uniform(-0.5, 0.5) * z, z, yaw=rng.uniform(-1, 1))
    for _ in range(int(rng.integers(0, 4))):
        z = rng.uniform(6, far + 12)
        solids += move(plants.tree(rng), rng.choice((-1, 1)) * rng.uniform(0.35, 0.8) * z, z)
    solids += backdrop(rng, 110, 250)
    light, sky = daylight(rng, far * 0.8, reach_m=40.0, drama=drama)
    return World("landmark", solids, light, sky, rng.uniform(120, 500), outlook.pose(rng, 0.0, 0.0))


def _flank(rng: Rng, side: int, far: float) -> Thing:
    """A row of town houses along one side of the square; it comes close to the eye and reaches the picture's top."""
    solids: Thing = []
    edge, z = rng.uniform(5, 14), rng.uniform(0, 8)
    while z < far + 20:
        long = rng.uniform(8, 15)
        house = outdoors.building(rng, (9.0, rng.uniform(7, 17), long))
        solids += move(house, side * (edge + 4.5), z + long / 2)
        z += long + (0.1 if rng.random() < 0.7 else 4.0)
    return solids


def _stone(rng: Rng) -> tuple[Material, Material, Material]:
    """Wall, trim and roof of a monument."""
    colour = hue(rng, palette.STONES)
    wall = paint("brick", Label.BUILDING, colour, shade_of(colour, 0.88), shade_of(colour, 0.72), size=(1.1, 0.5))
    trim = paint("noise", Label.COLUMN, shade_of(colour, 1.1), shade_of(colour, 1.0), shade_of(colour, 0.85), size=0.8)
    tile = hue(rng, palette.ROOFS)
    return wall, trim, paint("brick", Label.BUILDING, tile, shade_of(tile, 0.85), shade_of(tile, 0.6), size=(0.5, 0.4))


def _openings(rng: Rng, wall: Material, storey: float) -> Material:
    return paint(
        "facade", Label.BUILDING, wall.colours[0], palette.GLASS, shade_of(wall.colours[0], 1.2),
        size=(rng.uniform(2.4, 4.0), storey), seed=int(rng.integers(99)),
    )  # fmt: skip


def _church(rng: Rng) -> Thing:
    wall, trim, roof = _stone(rng)
    across, tall = rng.uniform(9, 13), rng.uniform(8, 12)
    windows = _openings(rng, wall, tall * 0.8)
    tower = rng.uniform(16, 26)
    oak = paint("door", Label.DOOR, hue(rng, palette.WOODS), palette.DARK, palette.METAL)
    thing = [
        box((across, tall, 24), (0, 0, 8), windows),
        gable((across + 1, across * 0.5, 24.6), (0, tall, 8), roof, wall),
        box((5, tower, 5), (0, 0, -4), wall),
        box((5.5, 0.5, 5.5), (0, tower, -4), trim),
        frustum((5.4, rng.uniform(5, 11), 5.4), (0, tower + 0.5, -4), (0.98, 0.98), roof),
        box((2.4, 4.2, 0.3), (0, 0, -6.55), oak),
        cylinder(
            2.6, 0.3, (0, 8, -6.5), paint("rug", Label.WINDOW, palette.GLASS, (150, 90, 80), (90, 110, 160), size=0.5)
        ),
    ]
    dark = paint("plain", Label.WINDOW, palette.DARK)
    return thing + [box((1.0, 2.4, 0.2), (x, tower - 3.6, -6.5), dark) for x in (-1, 1)]


def _temple(rng: Rng) -> Thing:
    wall, trim, roof = _stone(rng)
    columns = int(rng.choice((4, 6, 8)))
    gap, tall = rng.uniform(2.4, 3.4), rng.uniform(6, 9)
    across = gap * (columns - 1) + 2.4
    thing: Thing = [box((across + 3 - step, 0.3, 16 - step), (0, 0.3 * step, 4), trim) for step in range(3)]
    thing.append(box((across - 2.5, tall, 11), (0, 0.9, 6), wall))
    for number in range(columns):
        x = gap * (number - (columns - 1) / 2)
        thing += [cylinder(1.0, tall, (x, 0.9, -2.4), trim), box((1.4, 0.4, 1.4), (x, 0.5 + tall, -2.4), trim)]
    thing.append(box((across, 1.3, 15), (0, tall + 0.9, 4.2), trim))
    thing.append(gable((across + 0.4, across * 0.2, 15.4), (0, tall + 2.2, 4.2), roof, wall))
    return thing


def _arch(rng: Rng) -> Thing:
    wall, trim, _ = _stone(rng)
    tall, leg, gap = rng.uniform(10, 16), rng.uniform(3.5, 5), rng.uniform(4, 6.5)
    thing: Thing = []
    for side in (-1, 1):
        x = side * (gap + leg) / 2
        thing += [box((leg, tall * 0.62, 6), (x, 0, 0), wall), box((leg + 0.6, 0.8, 6.6), (x, tall * 0.58, 0), trim)]
        thing += [cylinder(0.8, tall * 0.5, (x + shift, 0.6, -3.4), trim) for shift in (-leg / 3, leg / 3)]
    across = gap + 2 * leg
    thing.append(box((across, tall * 0.25, 6), (0, tall * 0.62, 0), wall))
    thing.append(box((across + 1, 0.8, 7), (0, tall * 0.87, 0), trim))
    return [*thing, box((across - 2, tall * 0.13, 5), (0, tall * 0.92, 0), wall)]


def _tower(rng: Rng) -> Thing:
    wall, trim, roof = _stone(rng)
    wide, thing, y = rng.uniform(7, 11), [], 0.0
    for storey in range(int(rng.integers(3, 5))):
        side, tall = wide * 0.86**storey, rng.uniform(5, 8)
        thing.append(box((side, tall, side), (0, y, 0), _openings(rng, wall, tall)))
        thing.append(box((side + 0.8, 0.5, side + 0.8), (0, y + tall - 0.2, 0), trim))
        y += tall
    return [*thing, dome((wide * 0.6, wide * 0.45, wide * 0.6), (0, y, 0), roof)]


def _palace(rng: Rng) -> Thing:
    wall, trim, roof = _stone(rng)
    across, tall = rng.uniform(26, 44), rng.uniform(9, 13)
    windows = _openings(rng, wall, tall / 3)
    drum = rng.uniform(7, 10)
    return [
        box((across, tall, 12), (0, 0, 4), windows),
        box((across + 0.6, 0.7, 12.6), (0, tall - 0.2, 4), trim),
        box((across * 0.28, tall * 1.2, 4), (0, 0, -3), windows),
        gable((across * 0.3, 3.2, 4.4), (0, tall * 1.2, -3), trim, wall),
        cylinder(drum, 4.0, (0, tall, 4), trim),
        dome((drum, drum * 0.6, drum), (0, tall + 4, 4), roof),
        cylinder(0.7, 3.0, (0, tall + 4 + drum * 0.58, 4), trim),
    ]


def _statue(rng: Rng) -> Thing:
    """A stone figure on a pedestal."""
    colour = hue(rng, ((120, 130, 118), (150, 146, 138), (96, 92, 84)))
    bronze = paint("noise", Label.SCULPTURE, colour, shade_of(colour, 1.2), shade_of(colour, 0.6), size=0.3)
    tall = rng.uniform(1.6, 3.2)
    _, trim, _ = _stone(rng)
    figure = [replace(solid, materials=(bronze,)) for solid in person(rng)]
    return [
        box((1.9, 0.4, 1.9), (0, 0, 0), trim),
        box((1.3, tall, 1.3), (0, 0.4, 0), trim),
        *move(figure, 0, 0, y=tall + 0.4),
    ]
