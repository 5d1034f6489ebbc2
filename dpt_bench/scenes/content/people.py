"""People, standing or walking."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dpt_bench.scenes.content import palette
from dpt_bench.scenes.content.palette import hue
from dpt_bench.scenes.labels import Label
from dpt_bench.scenes.raycast.materials import Material, paint
from dpt_bench.scenes.raycast.solids import Array, Solid, Thing, Triple, cylinder, ellipsoid, transform, turn

Rng = np.random.Generator


def person(rng: Rng, *, detailed: bool = True) -> Thing:
    """A standing or walking person of 1.5 to 1.9 m, who looks along -z."""
    top = paint("cloth", Label.PERSON, hue(rng, palette.CLOTHES), size=0.16)
    if rng.random() < 0.25:
        top = paint("stripes", Label.PERSON, hue(rng, palette.CLOTHES), hue(rng, palette.CLOTHES), size=0.1)
    trousers = paint("cloth", Label.PERSON, hue(rng, palette.TROUSERS), size=0.2)
    skin = paint("plain", Label.PERSON, hue(rng, palette.SKINS, 0.06))
    hair = paint("noise", Label.PERSON, hue(rng, palette.HAIRS), size=0.05)
    stride = rng.uniform(0, 0.3)
    thing = [
        ellipsoid((0.45, 0.19, 0.2), (0, 1.365, 0), top),
        ellipsoid((0.37, 0.52, 0.24), (0, 1.22, 0), top),
        ellipsoid((0.35, 0.46, 0.23), (0, 1.02, 0), top),
        ellipsoid((0.35, 0.3, 0.24), (0, 0.88, 0), trousers),
        cylinder(0.11, 0.14, (0, 1.42, 0), skin),
        ellipsoid((0.155, 0.23, 0.19), (0, 1.6, -0.015), skin),
        ellipsoid((0.175, 0.21, 0.185), (0, 1.645, 0.03), hair, rotation=turn(0, -0.45)),
    ]
    if detailed:
        thing += _face(skin)
    for side in (-1, 1):
        thing += _leg(rng, side, side * stride, trousers, detailed=detailed)
        if detailed:
            thing += _arm(rng, side, -side * stride * 1.2, (top if rng.random() < 0.7 else skin, skin, top))
    height = rng.uniform(0.88, 1.1)
    return [_scaled(solid, height) for solid in thing]


def _face(skin: Material) -> Thing:
    """Eyes, nose and mouth."""
    eye = paint("plain", Label.PERSON, palette.DARK)
    lips = paint("plain", Label.PERSON, (150, 70, 66))
    eyes = [ellipsoid((0.028, 0.016, 0.02), (x, 1.615, -0.097), eye) for x in (-0.034, 0.034)]
    return [
        *eyes,
        ellipsoid((0.03, 0.055, 0.05), (0, 1.585, -0.108), skin),
        ellipsoid((0.055, 0.016, 0.02), (0, 1.54, -0.09), lips),
    ]


def _leg(rng: Rng, side: int, swing: float, trousers: Material, *, detailed: bool) -> Thing:
    hip = np.array([side * 0.095, 0.9, 0.0])
    thigh = turn(0, swing)
    if not detailed:
        return _limb(thigh, hip, (0.17, 0.93, 0.18), trousers)
    knee = hip + thigh @ np.array([0.0, -0.42, 0.0])
    shin = turn(0, min(swing, 0) * 0.4 - max(swing, 0) * 0.2)
    foot = knee + shin @ np.array([0.0, -0.43, 0.0])
    shoe = paint("plain", Label.PERSON, hue(rng, (palette.DARK, (90, 60, 40), (210, 210, 210))))
    return [
        *_limb(thigh, hip, (0.18, 0.52, 0.19), trousers),
        *_limb(shin, knee, (0.14, 0.52, 0.15), trousers),
        ellipsoid(
            (0.1, 0.11, 0.27), (float(foot[0]), 0.05 + max(float(foot[1]) - 0.05, 0), float(foot[2]) - 0.06), shoe
        ),
    ]


def _arm(rng: Rng, side: int, swing: float, cloths: tuple[Material, Material, Material]) -> Thing:
    sleeve, skin, top = cloths
    shoulder = np.array([side * 0.195, 1.39, 0.0])
    upper = turn(0, swing, side * rng.uniform(0.08, 0.22))
    elbow = shoulder + upper @ np.array([0.0, -0.27, 0.0])
    lower = turn(0, swing - rng.uniform(0.05, 0.7), side * rng.uniform(-0.05, 0.1))
    hand = elbow + lower @ np.array([0.0, -0.27, 0.0])
    return [
        *_limb(upper, shoulder, (0.105, 0.36, 0.115), top),
        *_limb(lower, elbow, (0.09, 0.32, 0.095), sleeve),
        ellipsoid((0.07, 0.11, 0.08), (float(hand[0]), float(hand[1]), float(hand[2])), skin),
    ]


def _limb(rotation: Array, joint: Array, size: Triple, material: Material) -> Thing:
    """An elongated ellipsoid that hangs from a joint."""
    hanging = ellipsoid(size, (0.0, -size[1] / 2 + 0.04, 0.0), material)
    return transform([hanging], rotation, joint)


def _scaled(solid: Solid, factor: float) -> Solid:
    return replace(
        solid,
        offsets=solid.offsets * factor,
        quadric=None if solid.quadric is None else solid.quadric / factor**2,
        centre=solid.centre * factor,
        half=solid.half * factor,
    )
