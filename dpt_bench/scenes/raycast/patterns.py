"""Procedural patterns by name."""

from __future__ import annotations

from collections.abc import Callable

from dpt_bench.scenes.raycast import panels, surfaces
from dpt_bench.scenes.raycast.materials import Pattern
from dpt_bench.scenes.raycast.spot import Spot, Weights

PATTERNS: dict[Pattern, Callable[[Spot], Weights]] = {
    "plain": surfaces.plain,
    "noise": surfaces.noise,
    "foliage": surfaces.foliage,
    "brick": surfaces.brick,
    "planks": surfaces.planks,
    "tiles": surfaces.tiles,
    "stripes": surfaces.stripes,
    "facade": surfaces.facade,
    "road": surfaces.road,
    "cloth": surfaces.cloth,
    "picture": panels.picture,
    "screen": panels.screen,
    "shelf": panels.shelf,
    "door": panels.door,
    "window": panels.window,
    "cupboard": panels.cupboard,
    "car_side": panels.car_side,
    "car_end": panels.car_end,
    "van_end": panels.van_end,
    "glass": panels.glass,
    "rug": panels.rug,
}
"""Surface coordinates to mixing weights; one function for every name that a material may use."""
