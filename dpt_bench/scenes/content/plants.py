"""Trees and bushes, around the origin."""

from __future__ import annotations

import numpy as np

from dpt_bench.scenes.content import palette
from dpt_bench.scenes.content.palette import hue
from dpt_bench.scenes.labels import Label
from dpt_bench.scenes.raycast.materials import Colour, Material, paint, shade_of
from dpt_bench.scenes.raycast.solids import Solid, Thing, Triple, cylinder, dome, ellipsoid

Rng = np.random.Generator


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
