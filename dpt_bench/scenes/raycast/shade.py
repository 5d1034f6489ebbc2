"""Colours of rays: patterns, lamp or sun with its shadow, ambient light, aerial haze, sky."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dpt_bench.scenes.raycast.cast import Hits
from dpt_bench.scenes.raycast.faces import PATTERN_NAMES, Faces, linear, tabulate
from dpt_bench.scenes.raycast.noise import Float, smooth_noise
from dpt_bench.scenes.raycast.patterns import PATTERNS
from dpt_bench.scenes.raycast.shadow import Shadow, cast_shadow
from dpt_bench.scenes.raycast.spot import Spot
from dpt_bench.scenes.raycast.view import View
from dpt_bench.scenes.raycast.world import Sky, World

Index = NDArray[np.intp]
BAND_PIXELS = 1 << 14
"""Rays are shaded in bands of about this many, whose arrays stay in the processor's cache."""


def prepare(world: World) -> Shader:
    """All that does not depend on the eye: face tables and shadow map."""
    return Shader(world, tabulate(world.solids), cast_shadow(world.solids, world.light))


@dataclass(frozen=True, eq=False)
class Shader:
    """Turns hits into light."""

    world: World
    faces: Faces
    shadow: Shadow

    def radiance(self, view: View, hits: Hits) -> Float:
        """Linear light along every ray of a view: float32 (H, W, 3)."""
        image = np.empty((*hits.surface.shape, 3), np.float32)
        rows = max(1, BAND_PIXELS // hits.surface.shape[1])
        for top in range(0, len(image), rows):
            band = slice(top, top + rows)
            rays = [ray.ravel() for ray in _rays(view, band)]
            found = hits.surface[band].ravel(), hits.inverse_depth[band].ravel()
            image[band] = self._light(view, rays, *found).reshape(image[band].shape)
        return image

    def _light(self, view: View, rays: list[Float], surface: NDArray[np.int32], inverse_depth: Float) -> Float:
        light = np.empty((surface.size, 3), np.float32)
        above = np.flatnonzero(surface < 0)
        if above.size:
            light[above] = _sky_light(self.world.sky, [ray.take(above) for ray in rays])
        solid = np.flatnonzero(surface >= 0)
        if solid.size:
            depth: Float = np.float32(1) / inverse_depth.take(solid)
            directions = [ray.take(solid) for ray in rays]
            light[solid] = self._surface_light(view, surface.take(solid).astype(np.intp), depth, directions)
        return light

    def _surface_light(self, view: View, surface: Index, depth: Float, rays: list[Float]) -> Float:
        light, faces = self.world.light, self.faces
        points = [np.float32(origin) + ray * depth for origin, ray in zip(view.position, rays, strict=True)]
        normals = self._normals(surface, points)
        length = np.sqrt(rays[0] ** 2 + rays[1] ** 2 + rays[2] ** 2)
        facing = np.abs(normals[0] * rays[0] + normals[1] * rays[1] + normals[2] * rays[2]) / length
        sample_width = np.float32(view.x[1] - view.x[0])
        footprint = depth * sample_width / np.sqrt(np.maximum(facing, np.float32(0.02)))
        second, third, factor = self._weights(surface, points, normals, footprint)
        direct = self._lamp_light(points, normals) * factor
        ambient = self._openness(points) * factor
        upwards = ambient * (0.5 + 0.5 * normals[1])
        glow = faces.glow.take(surface) * factor
        clear = np.exp(-depth * length / np.float32(self.world.haze_m))
        horizon = linear(self.world.sky.horizon)
        out = np.empty((len(depth), 3), np.float32)
        for channel in range(3):
            colour = faces.colours[0, channel].take(surface)
            colour += (faces.colours[1, channel].take(surface) - colour) * second
            colour += (faces.colours[2, channel].take(surface) - colour) * third
            below, above = np.float32(light.below[channel]), np.float32(light.above[channel])
            incoming = direct * np.float32(light.strength[channel]) + ambient * below + upwards * (above - below) + glow
            out[:, channel] = (colour * incoming - horizon[channel]) * clear + horizon[channel]
        return out

    def _normals(self, surface: Index, points: list[Float]) -> list[Float]:
        faces = self.faces
        normals = [component.take(surface) for component in faces.normal]
        curved = np.flatnonzero(faces.curved.take(surface))
        if curved.size:
            body = faces.body.take(surface.take(curved)).astype(np.intp)
            offset = [points[axis].take(curved) - faces.centres[:, axis].take(body) for axis in range(3)]
            gradient = [_row_times(faces.quadrics[:, row], body, offset) for row in range(3)]
            length = np.sqrt(gradient[0] ** 2 + gradient[1] ** 2 + gradient[2] ** 2) + np.float32(1e-9)
            for axis in range(3):
                normals[axis][curved] = gradient[axis] / length
        return normals

    def _weights(
        self, surface: Index, points: list[Float], normals: list[Float], footprint: Float
    ) -> tuple[Float, Float, Float]:
        """Mixing weights of the three colours, and the factor on them, by each pixel's own pattern."""
        kinds = self.faces.pattern.take(surface)
        u, v = self._unrolled(surface, points, normals)
        second, third, factor = (np.empty(len(surface), np.float32) for _ in range(3))
        for kind in np.flatnonzero(np.bincount(kinds)):
            chosen = np.flatnonzero(kinds == kind)
            spot = self._spot(surface.take(chosen), u.take(chosen), v.take(chosen), footprint.take(chosen))
            second[chosen], third[chosen], factor[chosen] = PATTERNS[PATTERN_NAMES[kind]](spot)
        return second, third, factor

    def _unrolled(self, surface: Index, points: list[Float], normals: list[Float]) -> tuple[Float, Float]:
        """U and v of every pixel. On curved faces, of the three axes the two that lie flattest on the surface."""
        faces = self.faces
        u = _along(faces.along_u, surface, points) - faces.start[0].take(surface)
        v = _along(faces.along_v, surface, points) - faces.start[1].take(surface)
        curved = np.flatnonzero(faces.curved.take(surface))
        if curved.size:
            face, normal = surface.take(curved), [axis.take(curved) for axis in normals]
            w = _along(faces.along_w, face, [axis.take(curved) for axis in points])
            tilts = [np.abs(_along(axes, face, normal)) for axes in (faces.along_u, faces.along_v, faces.along_w)]
            steep = np.argmax(tilts, axis=0)
            u[curved] = np.where(steep == 0, w, u.take(curved))
            v[curved] = np.where(steep == 1, w, v.take(curved))
        return u, v

    def _spot(self, surface: Index, u: Float, v: Float, footprint: Float) -> Spot:
        faces = self.faces
        return Spot(
            u=u,
            v=v,
            width=faces.extent[0].take(surface),
            height=faces.extent[1].take(surface),
            period_u=faces.period[0].take(surface),
            period_v=faces.period[1].take(surface),
            footprint=footprint,
            seed=faces.seed.take(surface),
        )

    def _lamp_light(self, points: list[Float], normals: list[Float]) -> Float:
        """Lambert's cosine, falloff and shadow of the lamp."""
        light = self.world.light
        towards = [np.float32(place) - point for place, point in zip(light.position, points, strict=True)]
        square = towards[0] ** 2 + towards[1] ** 2 + towards[2] ** 2
        cosine = normals[0] * towards[0] + normals[1] * towards[1] + normals[2] * towards[2]
        lit: Float = np.maximum(cosine, 0) / np.sqrt(square)
        if light.falloff_m is not None:
            lit /= 1 + square * np.float32(light.falloff_m**-2)
        facing = np.flatnonzero(lit > 1e-3)
        lit[facing] *= self.shadow.unshadowed(
            [point.take(facing) for point in points], [normal.take(facing) for normal in normals]
        )
        return lit

    def _openness(self, points: list[Float]) -> Float:
        """How much ambient light reaches a point: less in a room's corners, or close above the ground."""
        if self.world.enclosure is None:
            low: Float = np.exp(np.maximum(points[1], 0) * np.float32(-1.6))
            return 1 - np.float32(0.35) * low
        half_x, top, half_z = (np.float32(extent) for extent in self.world.enclosure)
        share: Float = np.ones(len(points[0]), np.float32)
        for gap in (half_x - np.abs(points[0]), half_z - np.abs(points[2]), np.minimum(points[1], top - points[1])):
            share *= 1 - np.float32(0.28) * np.exp(np.maximum(gap, 0) * np.float32(-3))
        return share


def _along(axes: Float, surface: Index, vectors: list[Float]) -> Float:
    """Scalar product of each pixel's vector with an axis of its face; axes float32 (3, F)."""
    x, y, z = (axes[k].take(surface) * vectors[k] for k in range(3))
    product: Float = x + y + z
    return product


def _row_times(rows: Float, body: Index, offset: list[Float]) -> Float:
    """Scalar product of one row of each pixel's own quadric with its offset from the centre."""
    first, second, third = (rows[:, column].take(body) * offset[column] for column in range(3))
    total: Float = first + second + third
    return total


def _rays(view: View, rows: slice) -> list[Float]:
    """World components of the rays of some rows, each float32 (rows, W)."""
    return [
        (view.axes[0, k] * view.x + view.axes[2, k]).astype(np.float32)[None, :]
        + (view.axes[1, k] * view.y[rows]).astype(np.float32)[:, None]
        for k in range(3)
    ]


def _sky_light(sky: Sky, rays: list[Float]) -> Float:
    """A gradient, and clouds on a layer overhead, so that they shrink towards the horizon: float32 (N, 3)."""
    length = np.sqrt(rays[0] ** 2 + rays[1] ** 2 + rays[2] ** 2)
    rise = np.maximum(rays[1] / length, 0)
    horizon, zenith = linear(sky.horizon), linear(sky.zenith)
    light: Float = horizon + (zenith - horizon) * np.sqrt(rise)[:, None]
    if sky.cover > 0:
        overhead = 1 / (rise + np.float32(0.12)) / length
        u, v = rays[0] * overhead + np.float32(sky.seed), rays[2] * overhead
        puffs = 0.7 * smooth_noise(u, v, 1.1) + 0.3 * smooth_noise(u, v + 7, 0.3)
        amount = np.clip((puffs - np.float32(1 - sky.cover)) * 3.5, 0, 1) * np.clip(rise * 8, 0, 1)
        light += (linear(sky.cloud) * (1.12 - 0.35 * puffs)[:, None] - light) * amount[:, None]
    return light
