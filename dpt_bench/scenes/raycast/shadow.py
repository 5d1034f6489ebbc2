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


@dataclass(frozen=True, eq=False)
class Shadow:
    """inverse_depth: float32 (S, S), 0 where the light falls on nothing. texel_m: width of a texel at the target.

    slack: relative depth that counts as equal.
    """

    view: View
    inverse_depth: Float
    texel_m: float
    slack: float

    def unshadowed(self, points: list[Float], normals: list[Float]) -> Float:
        """1 in the light, 0 in the shadow, between them at its rim: the bilinear mean of four texels; (N,)."""
        view, size = self.view, len(self.view.x)
        lift = np.float32(1.4 * self.texel_m + 0.01)  # off the surface, or slanting ones would shadow themselves
        offset = [
            point + normal * lift - np.float32(place)
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
        row, column = np.where(outside, 0, row), np.where(outside, 0, column)
        top, left = row.astype(np.intp), column.astype(np.intp)
        low, right = row - top.astype(np.float32), column - left.astype(np.float32)
        own = inverse * np.float32(1 + self.slack)
        corner = top * size + left
        lit = [self.inverse_depth.ravel().take(corner + shift) <= own for shift in (0, 1, size, size + 1)]
        upper = lit[0] * (1 - right) + lit[1] * right
        lower = lit[2] * (1 - right) + lit[3] * right
        return np.where(outside, np.float32(1), upper + (lower - upper) * low)


def cast_shadow(solids: Thing, light: Light) -> Shadow:
    """The map of those solids that throw a shadow."""
    view = light_view(light.position, light.target, light.half_angle, MAP_SIZE)
    casters = [solid for solid in solids if solid.shadow]
    seen = cast(casters, view).inverse_depth if casters else np.zeros((MAP_SIZE, MAP_SIZE), np.float32)
    distance_m = float(np.linalg.norm(light.target - light.position))
    texel_m = 2 * light.half_angle * distance_m / MAP_SIZE
    return Shadow(view, seen, texel_m, (0.02 + 0.5 * texel_m) / distance_m)
