"""The lamp's shadow map: what it sees from where it hangs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dpt_bench.scenes.raycast.cast import cast
from dpt_bench.scenes.raycast.noise import Float
from dpt_bench.scenes.raycast.solids import Thing
from dpt_bench.scenes.raycast.view import View, light_view
from dpt_bench.scenes.raycast.world import Light

MAP_SIZE = 288
_OFFSET_M = np.float32(0.02)


@dataclass(frozen=True, eq=False)
class Shadow:
    """inverse_depth: float32 (S, S), 0 where the light falls on nothing. slack: share of the depth that counts as equal."""

    view: View
    inverse_depth: Float
    slack: float

    def unshadowed(self, points: list[Float], normals: list[Float]) -> Float:
        """1 in the light, 0 in the shadow, between them at its rim: the mean of four looks into the map; (N,)."""
        view, size = self.view, len(self.view.x)
        offset = [
            point + normal * _OFFSET_M - np.float32(place)
            for point, normal, place in zip(points, normals, view.position, strict=True)
        ]
        across, down, away = (
            np.float32(axis[0]) * offset[0] + np.float32(axis[1]) * offset[1] + np.float32(axis[2]) * offset[2]
            for axis in view.axes
        )
        inverse = 1 / np.maximum(away, np.float32(0.05))
        step = np.float32(1 / (view.x[1] - view.x[0]))
        column = (across * inverse - np.float32(view.x[0])) * step
        row = (down * inverse - np.float32(view.y[0])) * step
        outside = (away <= 0.05) | (column < 0) | (column >= size - 1) | (row < 0) | (row >= size - 1)
        corner = np.where(outside, 0, row.astype(np.int32) * np.int32(size) + column.astype(np.int32)).astype(np.intp)
        own = inverse * np.float32(1 + self.slack)
        lit = np.zeros(len(inverse), np.float32)
        for shift in (0, 1, size, size + 1):
            lit += self.inverse_depth.ravel().take(corner + shift) <= own
        return np.where(outside, np.float32(1), lit * np.float32(0.25))


def cast_shadow(solids: Thing, light: Light) -> Shadow:
    """The map of those solids that throw a shadow."""
    view = light_view(light.position, light.target, light.half_angle, MAP_SIZE)
    casters = [solid for solid in solids if solid.shadow]
    seen = cast(casters, view).inverse_depth if casters else np.zeros((MAP_SIZE, MAP_SIZE), np.float32)
    texel = 2 * light.half_angle / MAP_SIZE
    distance_m = float(np.linalg.norm(light.target - light.position))
    return Shadow(view, seen, 0.02 / distance_m + texel)
