"""Rooms: living rooms, bedrooms, kitchens and offices, seen from a wall or a corner."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dpt_bench.scenes.content import furniture, household, palette
from dpt_bench.scenes.content.interior import Wall, door, picture, shell, skirting, window
from dpt_bench.scenes.content.outlook import Outlook
from dpt_bench.scenes.content.palette import hue, pick
from dpt_bench.scenes.content.weather import ceiling_lamp
from dpt_bench.scenes.labels import Label
from dpt_bench.scenes.raycast.materials import paint, shade_of
from dpt_bench.scenes.raycast.solids import Thing, box, move, room
from dpt_bench.scenes.raycast.world import Sky, World

Rng = np.random.Generator
Maker = Callable[[Rng], Thing]
Spot = tuple[float, float, float]
"""x, z and radius of floor that is taken."""

_ALONG_WALLS: dict[str, tuple[Maker, ...]] = {
    "living": (
        furniture.sofa, furniture.bookshelf, furniture.television, furniture.cupboard, household.floor_lamp,
        household.potted_plant, furniture.sofa,
    ),
    "bedroom": (
        furniture.bed, furniture.cupboard, furniture.cupboard, furniture.desk, household.floor_lamp, furniture.chair,
        household.potted_plant,
    ),
    "kitchen": (furniture.cupboard, household.crate, household.potted_plant, furniture.chair, furniture.cupboard),
    "office": (
        furniture.desk, furniture.bookshelf, furniture.cupboard, furniture.desk, household.potted_plant,
        household.crate, furniture.bookshelf,
    ),
}  # fmt: skip
_SKY = Sky((150, 170, 190), (200, 205, 210), (240, 240, 240), 0.0)


def build_room(rng: Rng, outlook: Outlook, *, kinds: tuple[str, ...] | None = None) -> World:
    """A furnished room of one of the kinds (living, bedroom, kitchen, office), seen across from beside a wall."""
    kind = pick(rng, kinds or tuple(_ALONG_WALLS))
    half_x, half_z, top = rng.uniform(1.7, 3.3), rng.uniform(1.9, 3.8), rng.uniform(2.4, 3.0)
    ahead, right = Wall(0.0, half_z, half_x), Wall(np.pi / 2, half_x, half_z)
    behind, left = Wall(np.pi, half_z, half_x), Wall(-np.pi / 2, half_x, half_z)
    eye_x, eye_z = rng.uniform(-0.8, 0.8) * half_x, -half_z + rng.uniform(0.3, 1.0)
    eye = outlook.pose(rng, eye_x, eye_z, yaw=float(np.arctan2(-eye_x * rng.uniform(0.4, 1.3), half_z)))
    solids: Thing = [room((2 * half_x, top, 2 * half_z), shell(rng))]
    for wall in (ahead, right, behind, left):
        solids += skirting(wall)
    taken: list[Spot] = [(eye_x, eye_z, 0.75)]
    bare = [ahead, right, left]
    if kind == "kitchen":
        wall = bare.pop(int(rng.integers(3)))
        long = min(rng.uniform(1.8, 3.6), 2 * wall.half - 0.5)
        solids += wall.put(furniture.kitchen(rng, long, top), 0.0)
        taken.append((*wall.spot(0.0, 0.3), long / 2))
    solids += _hang(rng, [*bare, behind], top, taken)
    solids += _furnish(rng, kind, [ahead, right, behind, left], taken)
    solids += _middle(rng, kind, (half_x, half_z), taken, eye.yaw)
    light = ceiling_lamp(rng, half_x, top, half_z)
    globe = paint("plain", Label.LAMP, (255, 244, 220), glow=1.6)
    solids.append(box((0.5, 0.08, 0.5), (light.position[0], top - 0.1, light.position[2]), globe))
    return World("room", solids, light, _SKY, 400.0, eye, enclosure=(half_x, top, half_z))


def _hang(rng: Rng, walls: list[Wall], top: float, taken: list[Spot]) -> Thing:
    """One door, which stays accessible, a window or two, and pictures."""
    solids: Thing = []
    for number, index in enumerate(rng.permutation(len(walls))):
        wall = walls[index]
        if number == 0:
            along = rng.uniform(-0.75, 0.75) * (wall.half - 0.5)
            solids += wall.put(door(rng), along)
            taken.append((*wall.spot(along, 0.3), 0.5))
        elif number == 1 or rng.random() < 0.3:
            solids += wall.put(window(rng, top), rng.uniform(-0.4, 0.4) * wall.half)
        else:
            for place in (-0.5, 0.45):
                if rng.random() < 0.6:
                    solids += wall.put(picture(rng), (place + rng.uniform(-0.15, 0.15)) * wall.half)
    return solids


def _furnish(rng: Rng, kind: str, walls: list[Wall], taken: list[Spot]) -> Thing:
    """Furniture along the walls where there is room; bodies are taken for circles."""
    solids: Thing = []
    makers = list(_ALONG_WALLS[kind])
    rng.shuffle(makers)
    for maker in makers:
        thing = maker(rng)
        reach = max(abs(solid.centre[0]) + solid.half[0] for solid in thing)
        for _ in range(4):
            wall = walls[int(rng.choice(4, p=(0.4, 0.28, 0.04, 0.28)))]
            space = wall.half - reach - 0.05
            if space <= 0:
                continue
            along = rng.uniform(-space, space)
            x, z = wall.spot(along, 0.4)
            if all(np.hypot(x - other[0], z - other[1]) > (reach + other[2]) * 0.9 for other in taken):
                taken.append((x, z, float(reach)))
                solids += wall.put(thing, along)
                break
    return solids


def _middle(rng: Rng, kind: str, half: tuple[float, float], taken: list[Spot], heading: float) -> Thing:
    """A rug, a table with chairs, an armchair or a box on the open floor."""
    solids: Thing = []
    if rng.random() < 0.5:
        colour = hue(rng, palette.FABRICS)
        rug = paint("rug", Label.RUG, colour, hue(rng, palette.FABRICS), shade_of(colour, 1.5), size=0.4)
        solids += move(
            [box((rng.uniform(1.4, 2.4), 0.015, rng.uniform(1.2, 2.0)), (0, 0, 0), rug)],
            0,
            rng.uniform(-0.5, 0.8),
            yaw=rng.uniform(-0.2, 0.2),
        )
    for _ in range(int(rng.integers(1, 4))):
        x, z = rng.uniform(-0.6, 0.6) * half[0], rng.uniform(-0.5, 0.6) * half[1]
        if any(np.hypot(x - other[0], z - other[1]) < 0.75 + other[2] * 0.8 for other in taken):
            continue
        taken.append((x, z, 0.8))
        yaw = rng.uniform(-np.pi, np.pi)
        choice = rng.random()
        if choice < 0.5:
            height = 0.74 if kind in ("kitchen", "office") or rng.random() < 0.5 else 0.45
            solids += move(furniture.table(rng, height=height), x, z, yaw=yaw)
            for side in range(int(rng.integers(0, 4))):
                turned = yaw + side * np.pi / 2
                seat_x, seat_z = x + 0.85 * float(np.sin(turned)), z + 0.85 * float(np.cos(turned))
                if abs(seat_x) < half[0] - 0.35 and abs(seat_z) < half[1] - 0.35:
                    solids += move(furniture.chair(rng), seat_x, seat_z, yaw=turned)
        elif choice < 0.75:
            maker = pick(rng, (furniture.chair, furniture.office_chair, household.crate))
            solids += move(maker(rng), x, z, yaw=yaw)
        else:
            solids += move(furniture.sofa(rng), x, z, yaw=heading + np.pi + rng.uniform(-1.2, 1.2))
    return solids
