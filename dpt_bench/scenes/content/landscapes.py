"""Open country: hills, rocks, trees, cottages, fences and paths under a wide sky."""

from __future__ import annotations

import numpy as np

from dpt_bench.scenes.content import outdoors, palette, plants
from dpt_bench.scenes.content.outlook import Outlook
from dpt_bench.scenes.content.palette import hue
from dpt_bench.scenes.content.people import person
from dpt_bench.scenes.content.weather import daylight
from dpt_bench.scenes.labels import Label
from dpt_bench.scenes.raycast.materials import paint, shade_of
from dpt_bench.scenes.raycast.solids import Thing, box, dome, ground, move
from dpt_bench.scenes.raycast.world import World

Rng = np.random.Generator


def build_landscape(rng: Rng, outlook: Outlook, *, drama: float = 0.2) -> World:
    """Country around the eye, which looks along z."""
    colour = hue(rng, palette.GRASSES if rng.random() < 0.7 else palette.EARTHS)
    label = Label.GRASS if colour[1] > colour[0] * 0.98 else Label.EARTH
    soil = paint("noise", label, colour, shade_of(colour, 1.2), shade_of(colour, 0.68), size=rng.uniform(0.8, 2.0))
    solids: Thing = [ground(soil, 450.0)]
    eye = outlook.pose(rng, 0.0, 0.0)
    for _ in range(int(rng.integers(2, 6))):  # swells of the ground
        z = rng.uniform(12, 70)
        wide = z * rng.uniform(0.4, 1.2)
        x = rng.choice((-1, 1)) * (wide / 2 + rng.uniform(-0.3, 0.6) * z)
        if np.hypot(x, z) > wide / 2 + 4:
            solids.append(dome((wide, wide * rng.uniform(0.06, 0.22), wide), (x, 0, z), soil))
    if rng.random() < 0.5:
        earth = hue(rng, palette.EARTHS)
        path = paint("noise", Label.EARTH, earth, shade_of(earth, 0.85), shade_of(earth, 0.7), size=0.6)
        solids += move(
            [box((rng.uniform(1.2, 2.6), 0.03, 160), (0, -0.01, 0), path)],
            rng.uniform(-3, 3),
            40,
            yaw=rng.uniform(-0.3, 0.3),
        )
    solids += _scatter(rng)
    solids += backdrop(rng, 90, 300)
    light, sky = daylight(rng, 22.0, reach_m=40.0, drama=drama)
    return World("landscape", solids, light, sky, rng.uniform(90, 350), eye)


def _scatter(rng: Rng) -> Thing:
    """Trees, rocks, bushes, cottages, fences and walkers, denser close to the eye."""
    solids: Thing = []
    autumn = rng.random() < 0.25
    trees, rocks = rng.integers(2, 9), rng.integers(1, 6)
    for _ in range(int(trees)):
        z = float(np.exp(rng.uniform(np.log(5), np.log(80))))
        solids += move(plants.tree(rng, autumn=autumn), _aside(rng, z), z)
    for _ in range(int(rocks)):
        z = float(np.exp(rng.uniform(np.log(3), np.log(30))))
        solids += move(outdoors.rock(rng), _aside(rng, z), z, yaw=rng.uniform(0, 6))
    for _ in range(int(rng.integers(1, 5))):
        z = float(np.exp(rng.uniform(np.log(3), np.log(40))))
        solids += move(plants.bush(rng), _aside(rng, z), z)
    for _ in range(int(rng.choice((0, 0, 1, 2)))):
        z = rng.uniform(16, 60)
        solids += move(outdoors.house(rng), _aside(rng, z), z, yaw=rng.uniform(-1, 1))
    if rng.random() < 0.35:
        z = rng.uniform(5, 18)
        solids += move(outdoors.fence(rng, 22.0), rng.uniform(-8, 8), z, yaw=rng.uniform(-0.8, 0.8))
    if rng.random() < 0.4:
        z = rng.uniform(3.5, 15)
        solids += move(person(rng), _aside(rng, z), z, yaw=rng.uniform(0, 6))
    return solids


def _aside(rng: Rng, z: float) -> float:
    return float(rng.uniform(-0.75, 0.75) * (z + 2))


def backdrop(rng: Rng, near: float, far: float) -> Thing:
    """A belt of trees and hills before the horizon, paler with distance."""
    solids: Thing = []
    for number in range(int(rng.integers(4, 8))):
        z = rng.uniform(near, far)
        wide = rng.uniform(0.5, 1.3) * z
        tall = z * rng.uniform(0.03, 0.16)
        colour = hue(rng, palette.LEAVES if rng.random() < 0.7 else palette.ROCKS)
        slope = paint(
            "foliage", Label.HILL, colour, shade_of(colour, 1.2), shade_of(colour, 0.6), size=9.0, seed=number
        )
        solids.append(dome((wide, tall, wide * 0.5), (rng.uniform(-0.8, 0.8) * z, -1, z), slope))
    colour = hue(rng, palette.LEAVES)
    for _ in range(5):
        z = rng.uniform(near * 0.8, near * 1.2)
        size = (z * rng.uniform(0.2, 0.5), z * rng.uniform(0.05, 0.14), 8.0)
        solids.append(plants.leafage(rng, colour, size, (rng.uniform(-0.8, 0.8) * z, size[1] * 0.2, z)))
    return solids
