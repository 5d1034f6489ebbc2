"""Skies and lamps: what lights a world."""

from __future__ import annotations

import numpy as np

from dpt_bench.scenes.content.palette import pick
from dpt_bench.scenes.raycast.materials import Colour
from dpt_bench.scenes.raycast.world import Light, Sky

Rng = np.random.Generator
SUN_DISTANCE_M = 400.0

_CLEAR: tuple[tuple[Colour, Colour], ...] = (
    ((72, 124, 196), (188, 210, 228)),
    ((92, 142, 206), (206, 218, 224)),
    ((60, 108, 184), (196, 204, 214)),
)
_OVERCAST: tuple[tuple[Colour, Colour], ...] = (((172, 182, 192), (206, 208, 208)), ((150, 160, 172), (196, 200, 204)))
_EVENING: tuple[tuple[Colour, Colour], ...] = (((96, 112, 168), (240, 190, 140)), ((120, 110, 150), (244, 172, 120)))


def daylight(rng: Rng, focus_z: float, *, reach_m: float = 55.0, drama: float = 0.15) -> tuple[Light, Sky]:
    """Sun and sky. The shadow map covers `reach_m` around (0, 0, focus_z); `drama` is the share of evenings."""
    mood = rng.random()
    if mood < drama:
        zenith, horizon = pick(rng, _EVENING)
        sun, elevation = (1.25, 0.92, 0.62), rng.uniform(0.25, 0.5)
        cloud: Colour = (236, 190, 170)
        cover = rng.uniform(0.1, 0.5)
    elif mood < 0.75:
        zenith, horizon = pick(rng, _CLEAR)
        sun, elevation = (1.15, 1.08, 0.96), rng.uniform(0.5, 1.1)
        cloud = (250, 250, 250)
        cover = rng.uniform(0.0, 0.6)
    else:
        zenith, horizon = pick(rng, _OVERCAST)
        sun, elevation = (0.3, 0.3, 0.3), rng.uniform(0.7, 1.2)
        cloud = (222, 224, 228)
        cover = rng.uniform(0.5, 0.9)
    ambient = 0.75 if sun[0] < 0.5 else 0.42
    azimuth = rng.uniform(-np.pi, np.pi)
    direction = np.array([np.cos(elevation) * np.sin(azimuth), np.sin(elevation), np.cos(elevation) * np.cos(azimuth)])
    target = np.array([0.0, 0.0, focus_z])
    above = (ambient * (0.6 + zenith[0] / 640), ambient * (0.6 + zenith[1] / 640), ambient * (0.6 + zenith[2] / 640))
    light = Light(
        target + SUN_DISTANCE_M * direction, target, reach_m / SUN_DISTANCE_M,
        sun, above, (ambient * 0.5, ambient * 0.46, ambient * 0.4),
    )  # fmt: skip
    return light, Sky(zenith, horizon, cloud, float(cover), int(rng.integers(500)))


def ceiling_lamp(rng: Rng, half_x: float, height: float, half_z: float) -> Light:
    """A lamp below the middle of a ceiling."""
    place = np.array([rng.uniform(-0.3, 0.3) * half_x, height - 0.25, rng.uniform(-0.3, 0.3) * half_z])
    warm = rng.uniform(0.78, 1.0)
    power = rng.uniform(1.1, 1.6)
    ambient = rng.uniform(0.26, 0.42)
    strength = (power, power * (0.55 + 0.45 * warm), power * (0.2 + 0.8 * warm))
    above = (ambient, ambient * (0.8 + 0.2 * warm), ambient * (0.65 + 0.35 * warm))
    below = (above[0] * 0.95, above[1] * 0.92, above[2] * 0.86)
    return Light(place, place * np.array([1.0, 0.0, 1.0]), 3.0, strength, above, below, falloff_m=rng.uniform(2.6, 4.5))
