"""Rooms: living rooms, bedrooms, kitchens and offices, seen from a wall or a corner."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dpt_bench.scenes.content import furniture, palette
from dpt_bench.scenes.content.outlook import Outlook
from dpt_bench.scenes.content.palette import hue, pick
from dpt_bench.scenes.content.weather import ceiling_lamp
from dpt_bench.scenes.labels import Label
from dpt_bench.scenes.raycast.materials import Material, paint, shade_of
from dpt_bench.scenes.raycast.solids import Thing, box, move, room
from dpt_bench.scenes.raycast.world import Sky, World

Rng = np.random.Generator
Maker = Callable[[Rng], Thing]

_ALONG_WALLS: dict[str, tuple[Maker, ...]] = {
    "living": (
        furniture.sofa, furniture.bookshelf, furniture.television, furniture.cupboard, furniture.floor_lamp,
        furniture.potted_plant, furniture.sofa,
    ),
    "bedroom": (
        furniture.bed, furniture.cupboard, furniture.cupboard, furniture.desk, furniture.floor_lamp, furniture.chair,
        furniture.potted_plant,
    ),
    "kitchen": (furniture.cupboard, furniture.crate, furniture.potted_plant, furniture.chair, furniture.cupboard),
    "office": (
        furniture.desk, furniture.bookshelf, furniture.cupboard, furniture.desk, furniture.potted_plant,
        furniture.crate, furniture.bookshelf,
    ),
}  # fmt: skip
_SKY = Sky((150, 170, 190), (200, 205, 210), (240, 240, 240), 0.0)


@dataclass(frozen=True)
class _Wall:
    """A wall as seen by things with their back to it: turned by `yaw`, `away` from the middle, 2 * `half` long."""

    yaw: float
    away: float
    half: float


def build_room(rng: Rng, outlook: Outlook, *, kinds: tuple[str, ...] | None = None) -> World:
    """A furnished room of one of the kinds (living, bedroom, kitchen, office), seen across from beside a wall."""
    kind = pick(rng, kinds or tuple(_ALONG_WALLS))
    half_x, half_z, top = rng.uniform(1.8, 3.8), rng.uniform(2.0, 4.2), rng.uniform(2.4, 3.1)
    walls = [
        _Wall(0.0, half_z, half_x), _Wall(np.pi / 2, half_x, half_z),
        _Wall(np.pi, half_z, half_x), _Wall(-np.pi / 2, half_x, half_z),
    ]  # fmt: skip
    eye_x, eye_z = rng.uniform(-0.8, 0.8) * half_x, -half_z + rng.uniform(0.3, 1.0)
    yaw = np.arctan2(-eye_x * rng.uniform(0.4, 1.3), half_z)
    eye = outlook.pose(rng, eye_x, eye_z, yaw=float(yaw))
    solids: Thing = [room((2 * half_x, top, 2 * half_z), _shell(rng))]
    solids += _fittings(rng, walls, top)
    taken: list[tuple[float, float, float]] = [(eye_x, eye_z, 0.75)]
    if kind == "kitchen":
        wall = pick(rng, (walls[0], walls[1], walls[3]))
        long = min(rng.uniform(1.8, 3.6), 2 * wall.half - 0.5)
        solids += _against(furniture.kitchen(rng, long, top), wall, 0.0)
        taken.append(_spot(wall, 0.0, 0.3, long / 2))
    solids += _furnish(rng, kind, walls, taken)
    solids += _middle(rng, kind, (half_x, half_z), taken, eye.yaw)
    light = ceiling_lamp(rng, half_x, top, half_z)
    globe = paint("plain", Label.LAMP, (255, 244, 220), glow=1.6)
    solids.append(box((0.5, 0.08, 0.5), (light.position[0], top - 0.1, light.position[2]), globe))
    return World("room", solids, light, _SKY, 400.0, eye, enclosure=(half_x, top, half_z))


def _shell(rng: Rng) -> tuple[Material, ...]:
    """Materials of walls, floor and ceiling, in the order of `solids.box`."""
    colour = hue(rng, palette.WALLS)
    style = rng.random()
    if style < 0.62:
        wall = paint("plain", Label.WALL, colour)
    elif style < 0.78:
        wall = paint("stripes", Label.WALL, colour, shade_of(colour, 0.93), size=rng.uniform(0.15, 0.4))
    elif style < 0.9:
        wall = paint("tiles", Label.WALL, colour, colour, shade_of(colour, 0.8), size=rng.uniform(0.2, 0.45))
    else:
        wall = paint("brick", Label.WALL, colour, shade_of(colour, 0.86), shade_of(colour, 0.7), size=(0.26, 0.09))
    ceiling = paint("plain", Label.CEILING, hue(rng, ((240, 240, 236), (232, 228, 220))))
    return wall, wall, ceiling, _floor(rng), wall, wall


def _floor(rng: Rng) -> Material:
    style = rng.random()
    if style < 0.5:
        colour = hue(rng, palette.WOODS)
        return paint("planks", Label.FLOOR, colour, shade_of(colour, 0.82), shade_of(colour, 0.5), size=(1.4, 0.15))
    if style < 0.75:
        colour = hue(rng, palette.STONES)
        return paint(
            "tiles",
            Label.FLOOR,
            colour,
            shade_of(colour, pick(rng, (0.97, 0.6))),
            shade_of(colour, 0.6),
            size=pick(rng, (0.3, 0.45, 0.6)),
        )
    colour = hue(rng, palette.CARPETS)
    return paint("noise", Label.FLOOR, colour, shade_of(colour, 1.1), shade_of(colour, 0.85), size=0.12)


def _against(thing: Thing, wall: _Wall, along: float) -> Thing:
    """The thing with its back to the wall, `along` its length from the middle."""
    deepest = max(solid.centre[2] + solid.half[2] for solid in thing)
    placed = move(thing, along, wall.away - float(deepest) - 0.02)
    return move(placed, 0.0, 0.0, yaw=wall.yaw)


def _spot(wall: _Wall, along: float, depth: float, reach: float) -> tuple[float, float, float]:
    """(x, z, radius) of something that stands against a wall."""
    away = wall.away - depth
    sin, cos = np.sin(wall.yaw), np.cos(wall.yaw)
    return float(along * cos + away * sin), float(-along * sin + away * cos), reach


def _furnish(rng: Rng, kind: str, walls: list[_Wall], taken: list[tuple[float, float, float]]) -> Thing:
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
            x, z, radius = _spot(wall, along, 0.4, float(reach))
            if all(np.hypot(x - other[0], z - other[1]) > (radius + other[2]) * 0.9 for other in taken):
                taken.append((x, z, radius))
                solids += _against(thing, wall, along)
                break
    return solids


def _middle(
    rng: Rng, kind: str, half: tuple[float, float], taken: list[tuple[float, float, float]], heading: float
) -> Thing:
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
                seat = furniture.chair(rng)
                solids += move(seat, x + 0.85 * float(np.sin(turned)), z + 0.85 * float(np.cos(turned)), yaw=turned)
        elif choice < 0.75:
            maker = pick(rng, (furniture.chair, furniture.office_chair, furniture.crate))
            solids += move(maker(rng), x, z, yaw=yaw)
        else:
            solids += move(furniture.sofa(rng), x, z, yaw=heading + np.pi + rng.uniform(-1.2, 1.2))
    return solids


def _fittings(rng: Rng, walls: list[_Wall], top: float) -> Thing:
    """Door, windows with curtains, pictures and a skirting board on the walls."""
    skirting = paint("plain", Label.WALL, palette.WHITE)
    solids: Thing = []
    order = [0, 1, 3, 2]
    rng.shuffle(order)
    for number, index in enumerate(order):
        wall = walls[index]
        solids += _against([box((2 * wall.half, 0.1, 0.03), (0, 0, 0), skirting)], wall, 0.0)
        if number == 0:
            oak = hue(rng, palette.WOODS) if rng.random() < 0.5 else palette.WHITE
            leaf = paint("door", Label.DOOR, oak, shade_of(oak, 0.85), palette.METAL)
            panel = furniture.hanging(oak, (0.9, 2.05), leaf, 0.0, 0.0)
            solids += _against([panel], wall, rng.uniform(-0.75, 0.75) * (wall.half - 0.5))
        elif number == 1 or rng.random() < 0.3:
            solids += _against(_window(rng, top), wall, rng.uniform(-0.4, 0.4) * wall.half)
        else:
            for _ in range(int(rng.integers(0, 3))):
                art = paint(
                    "picture",
                    Label.PAINTING,
                    hue(rng, palette.PAINTS),
                    hue(rng, palette.PAINTS),
                    palette.DARK,
                    seed=int(rng.integers(99)),
                )
                size = (rng.uniform(0.35, 1.1), rng.uniform(0.35, 0.8))
                frame = furniture.hanging(palette.DARK, size, art, rng.uniform(1.25, 1.55), 0.0)
                solids += _against([frame], wall, rng.uniform(-0.7, 0.7) * wall.half)
    return solids


def _window(rng: Rng, top: float) -> Thing:
    across, low = rng.uniform(1.0, 2.0), rng.uniform(0.75, 1.0)
    tall = min(top - 0.25, 2.3) - low
    glass = paint(
        "window", Label.WINDOW, (206, 224, 240), (110, 140, 90), palette.WHITE, glow=1.1, seed=int(rng.integers(99))
    )
    thing: Thing = [furniture.hanging(palette.WHITE, (across, tall), glass, low, 0.0)]
    if rng.random() < 0.6:
        colour = hue(rng, palette.FABRICS)
        cloth = paint("cloth", Label.CURTAIN, colour, shade_of(colour, 0.8), size=0.12)
        for side in (-1, 1):
            thing.append(box((0.34, tall + 0.5, 0.1), (side * (across / 2 + 0.1), low - 0.35, -0.1), cloth))
    return thing
