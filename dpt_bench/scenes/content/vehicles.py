"""Cars, vans, lorries and buses, around the origin, the nose towards -z."""

from __future__ import annotations

import numpy as np

from dpt_bench.scenes.content import palette
from dpt_bench.scenes.content.palette import hue
from dpt_bench.scenes.labels import Label
from dpt_bench.scenes.raycast.materials import paint, shade_of
from dpt_bench.scenes.raycast.solids import Thing, box, cylinder, frustum, turn

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
