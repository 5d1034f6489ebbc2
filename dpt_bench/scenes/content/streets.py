"""Streets: a road with lines, pavements, houses on both sides, cars, trees, posts and people."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from dpt_bench.scenes.content import outdoors, palette, plants, vehicles
from dpt_bench.scenes.content.landscapes import backdrop
from dpt_bench.scenes.content.outlook import Outlook
from dpt_bench.scenes.content.palette import hue, pick
from dpt_bench.scenes.content.people import person
from dpt_bench.scenes.content.weather import daylight
from dpt_bench.scenes.labels import Label
from dpt_bench.scenes.raycast.materials import Material, paint, shade_of
from dpt_bench.scenes.raycast.solids import Thing, box, ground, move
from dpt_bench.scenes.raycast.world import World

Rng = np.random.Generator
LENGTH_M = 110.0


def build_street(rng: Rng, outlook: Outlook, *, driving: bool = True, drama: float = 0.1) -> World:
    """A street that runs along z. The eye drives in the right lane, or stands on the pavement."""
    lanes = int(rng.choice((2, 2, 2, 2, 3, 4)))
    half_road = lanes * 3.2 / 2 + 0.5
    pavement = rng.uniform(1.5, 3.4)
    district = pick(rng, ("city", "city", "city", "suburb", "suburb", "avenue"))
    solids = _surface(rng, half_road, pavement, district)
    for side in (-1.0, 1.0):
        solids += _roadside(rng, side, half_road, pavement, district)
    solids += _traffic(rng, half_road, parked=0.7 if district != "avenue" else 0.35)
    solids += _end(rng)
    if rng.random() < 0.12:
        solids += _bridge(rng, half_road + pavement)
    if driving:
        eye = outlook.pose(rng, half_road - rng.uniform(1.6, 2.8), 0.0)
    else:
        side = rng.choice((-1.0, 1.0))
        eye = outlook.pose(
            rng, side * (half_road + rng.uniform(-1.5, 0.7 * pavement)), 0.0, yaw=-side * rng.uniform(-0.1, 0.5)
        )
    light, sky = daylight(rng, 25.0, reach_m=38.0, drama=drama)
    return World("street", solids, light, sky, rng.uniform(110, 420), eye)


def _surface(rng: Rng, half_road: float, pavement: float, district: str) -> Thing:
    asphalt = rng.uniform(78, 118)
    grey = (asphalt, asphalt, asphalt * rng.uniform(0.98, 1.04))
    road = paint("road", Label.ROAD, grey, shade_of(grey, 0.9), (222, 220, 210), size=3.2)
    stone = hue(rng, ((166, 162, 154), (150, 146, 140), (178, 168, 152)))
    slabs = paint(
        "tiles", Label.SIDEWALK, stone, shade_of(stone, 0.94), shade_of(stone, 0.72), size=rng.uniform(0.5, 1.0)
    )
    grass = hue(rng, palette.GRASSES)
    lawn = paint("noise", Label.GRASS, grass, shade_of(grass, 1.18), shade_of(grass, 0.7), size=1.2)
    flat: Thing = [
        ground(lawn if district != "city" else slabs, 400.0),
        box((2 * half_road, 0.05, 2 * LENGTH_M + 200), (0, -0.03, LENGTH_M - 20), road),
    ]
    for side in (-1, 1):
        centre = side * (half_road + pavement / 2)
        flat.append(box((pavement, 0.17, 2 * LENGTH_M + 200), (centre, -0.03, LENGTH_M - 20), slabs))
    return [replace(solid, shadow=False) for solid in flat]  # so flat that its own shadow is mere rounding


def _roadside(rng: Rng, side: float, half_road: float, pavement: float, district: str) -> Thing:
    """Buildings or gardens behind the pavement; trees, lamps, signs and people on it."""
    solids: Thing = []
    line = half_road + pavement
    setback = {"city": rng.uniform(0.0, 1.0), "suburb": rng.uniform(2, 6), "avenue": rng.uniform(5, 12)}[district]
    z = rng.uniform(-16, -6)
    while z < LENGTH_M * 0.85:
        long = rng.uniform(8, 17)
        solids += _plot(rng, side, line + setback, z + long / 2, long, district)
        z += long + (rng.uniform(0, 0.5) if district == "city" and rng.random() < 0.75 else rng.uniform(2, 7))
    solids += _pavement_things(rng, side, half_road, pavement)
    if district != "city" and rng.random() < 0.6:
        start, stop = rng.uniform(-4, 6), rng.uniform(20, 70)
        place = (side * (line + 0.7), 0, (start + stop) / 2)
        solids.append(box((0.9, rng.uniform(0.7, 2.4), stop - start), place, _hedge(rng)))
    return solids


def _hedge(rng: Rng) -> Material:
    """Leaves, or the bricks of a garden wall."""
    if rng.random() < 0.3:
        return outdoors.brick_material(rng, Label.WALL)
    colour = hue(rng, palette.LEAVES)
    return paint("foliage", Label.PLANT, colour, shade_of(colour, 1.35), shade_of(colour, 0.4), size=0.4)


def _plot(rng: Rng, side: float, edge: float, z: float, long: float, district: str) -> Thing:
    choice = rng.random()
    if district == "city" or (district == "avenue" and choice < 0.35):
        tall, deep = rng.uniform(6, 24), rng.uniform(8, 14)
        return move(outdoors.building(rng, (deep, tall, long)), side * (edge + deep / 2), z)
    if choice < 0.72:
        thing = move(outdoors.house(rng), side * (edge + 5), z, yaw=side * np.pi / 2)
        return thing + move(plants.bush(rng), side * (edge - 1.5), z + rng.uniform(-4, 4))
    solids: Thing = []
    for _ in range(2):
        solids += move(plants.tree(rng), side * (edge + rng.uniform(-1, 6)), z + rng.uniform(-4, 4))
    return solids


def _pavement_things(rng: Rng, side: float, half_road: float, pavement: float) -> Thing:
    solids: Thing = []
    kerb = side * (half_road + 0.5)
    if rng.random() < 0.65:
        spacing = rng.uniform(9, 16)
        tall = rng.uniform(4, 8)
        for number in range(5):
            z = rng.uniform(2, 6) + number * spacing
            solids += move(plants.tree(rng, tall * rng.uniform(0.85, 1.15)), kerb + side * 0.4, z)
    if rng.random() < 0.6:
        spacing, start = rng.uniform(18, 28), rng.uniform(4, 20)
        for number in range(3):
            solids += move(outdoors.street_lamp(rng), kerb, start + spacing * number, yaw=side * np.pi / 2)
    if rng.random() < 0.5:
        solids += move(outdoors.road_sign(rng), kerb, rng.uniform(6, 25))
    for _ in range(int(rng.integers(0, 4))):
        z = 4 + 26 * rng.random() ** 1.3
        x = side * (half_road + rng.uniform(0.4, pavement - 0.3))
        walker = person(rng, detailed=z < 14)
        solids += move(walker, x, z, yaw=rng.choice((0.0, np.pi)) + rng.uniform(-0.3, 0.3), y=0.14)
    return solids


def _traffic(rng: Rng, half_road: float, *, parked: float) -> Thing:
    """Cars at both kerbs and in the lanes; sometimes a van close by, which is near and tall."""
    solids: Thing = []
    for side in (-1.0, 1.0):
        z = rng.uniform(3, 9)
        while z < 60 and rng.random() < parked + 0.2:
            if rng.random() < parked:
                maker: Callable[[Rng], Thing] = vehicles.van if rng.random() < 0.15 else vehicles.car
                solids += move(maker(rng), side * (half_road - 0.95), z, yaw=np.pi if side > 0 else 0.0)
            z += rng.uniform(5.6, 11)
    if rng.random() < 0.7:
        solids += move(vehicles.car(rng), -half_road + rng.uniform(2.6, 3.4), rng.uniform(9, 45))
    if rng.random() < 0.65:
        maker = vehicles.van if rng.random() < 0.5 else vehicles.car
        solids += move(maker(rng), half_road - rng.uniform(2.4, 3.0), rng.uniform(8.5, 28), yaw=np.pi)
    return solids


def _end(rng: Rng) -> Thing:
    """What closes the street: a building across, or trees and hills."""
    if rng.random() < 0.45:
        across = rng.uniform(20, 40)
        far = rng.uniform(0.45, 1.0) * LENGTH_M
        return move(outdoors.building(rng, (across, rng.uniform(9, 22), 12)), rng.uniform(-8, 8), far + 6)
    return backdrop(rng, 120, 260)


def _bridge(rng: Rng, half_width: float) -> Thing:
    """A bridge over the road."""
    colour = hue(rng, palette.STONES)
    concrete = paint("noise", Label.BRIDGE, colour, shade_of(colour, 0.92), shade_of(colour, 0.8), size=2.0)
    z, low = rng.uniform(14, 45), rng.uniform(4.6, 5.6)
    solids = [box((2 * half_width + 16, rng.uniform(1.2, 2.2), rng.uniform(5, 10)), (0, low, z), concrete)]
    return solids + [box((1.4, low, 5.0), (side * (half_width + 0.5), 0, z), concrete) for side in (-1, 1)]
