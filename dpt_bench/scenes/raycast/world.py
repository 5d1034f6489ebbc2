"""A world before it is seen: solids, light, air, and where an eye may stand."""

from __future__ import annotations

from dataclasses import dataclass

from dpt_bench.scenes.raycast.materials import Colour
from dpt_bench.scenes.raycast.solids import Array, Thing
from dpt_bench.scenes.raycast.view import Pose


@dataclass(frozen=True, eq=False)
class Light:
    """A lamp, or the sun as a lamp far away.

    position, target: metres; `half_angle`, tan of half the opening of its shadow map around the direction to target.
    falloff_m: distance at which a lamp has lost half its power; None for the sun.
    above, below: ambient light from the upper and the lower hemisphere. strength, above, below are linear RGB.
    """

    position: Array
    target: Array
    half_angle: float
    strength: Colour
    above: Colour
    below: Colour
    falloff_m: float | None = None


@dataclass(frozen=True)
class Sky:
    """Gradient from horizon to zenith, clouds with a cover of 0 to 1; sRGB-like colours."""

    zenith: Colour
    horizon: Colour
    cloud: Colour
    cover: float
    seed: int = 0


@dataclass(frozen=True, eq=False)
class World:
    """haze_m: distance at which the air has swallowed 63 % of the light; its colour is the sky's horizon.

    enclosure: half extents of the room around the origin whose corners are darker, None outdoors; its floor is y = 0.
    """

    kind: str
    solids: Thing
    light: Light
    sky: Sky
    haze_m: float
    eye: Pose
    enclosure: tuple[float, float, float] | None = None
