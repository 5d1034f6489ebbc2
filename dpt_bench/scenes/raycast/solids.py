"""Convex bodies, the only primitive of the world: a quadric cut by half-spaces, either of which may be missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dpt_bench.scenes.raycast.materials import Material

Array = NDArray[np.float64]
Triple = tuple[float, float, float]
Thing = list["Solid"]
"""Several solids that make one object, built around the origin, standing on y = 0 and looking along -z."""

BOX_NORMALS = np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]], np.float64)


@dataclass(frozen=True, eq=False)
class Solid:
    """The points X with normals @ X <= offsets and (X - centre)' quadric (X - centre) <= 1.

    axes (3, 3): rows are the body's own x, y, z in the world. half (3,): half its extent along them; with `centre`
        they bound it on the screen and give its textures an origin.
    materials: one, or one for each plane in order and one for the quadric.
    hollow: seen from inside, a room. ragged: how much of the rim is nibbled away, for foliage. shadow: casts one.
    """

    normals: Array
    offsets: Array
    quadric: Array | None
    centre: Array
    axes: Array
    half: Array
    materials: tuple[Material, ...]
    hollow: bool = False
    ragged: float = 0.0
    shadow: bool = True

    @property
    def num_faces(self) -> int:
        """Planes, and one more for the quadric."""
        return len(self.offsets) + (self.quadric is not None)

    def material(self, face: int) -> Material:
        """The material of a face."""
        return self.materials[face if len(self.materials) > 1 else 0]


def turn(yaw: float, tilt: float = 0.0, lean: float = 0.0) -> Array:
    """(3, 3) rotation that turns by yaw about y (towards +x), after tilting about x and leaning about z; radians."""
    about_y = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(tilt), -np.sin(tilt)], [0, np.sin(tilt), np.cos(tilt)]])
    about_z = np.array([[np.cos(lean), -np.sin(lean), 0], [np.sin(lean), np.cos(lean), 0], [0, 0, 1]])
    rotation: Array = about_y @ about_x @ about_z
    return rotation


def move(thing: Thing, x: float, z: float, *, yaw: float = 0.0, y: float = 0.0) -> Thing:
    """The thing turned by `yaw` and put at (x, y, z)."""
    return transform(thing, turn(yaw), np.array([x, y, z]))


def transform(thing: Thing, rotation: Array, offset: Array) -> Thing:
    """The thing rotated about the origin, then displaced."""
    return [_transform(solid, rotation, offset) for solid in thing]


def _transform(solid: Solid, rotation: Array, offset: Array) -> Solid:
    normals = solid.normals @ rotation.T
    return replace(
        solid,
        normals=normals,
        offsets=solid.offsets + normals @ offset,
        quadric=None if solid.quadric is None else rotation @ solid.quadric @ rotation.T,
        centre=rotation @ solid.centre + offset,
        axes=solid.axes @ rotation.T,
    )


def box(size: Triple, base: Triple, *materials: Material, yaw: float = 0.0) -> Solid:
    """A box of (width x, height y, depth z) whose bottom's centre is `base`.

    materials: one; or (sides, top); or six in the order +x, -x, +y, -y, +z, -z.
    """
    if len(materials) == 2:
        sides, top = materials
        materials = (sides, sides, top, sides, sides, sides)
    return polytope(size, base, BOX_NORMALS, np.ones(6), materials, yaw=yaw)


def room(size: Triple, materials: tuple[Material, ...]) -> Solid:
    """The inside of a box that stands on y = 0 around the origin; materials in the order of `box`."""
    return replace(box(size, (0.0, 0.0, 0.0), *materials), hollow=True, shadow=False)


def gable(size: Triple, base: Triple, roof: Material, ends: Material) -> Solid:
    """A roof whose ridge runs along z."""
    normals = np.array([[2, 1, 0], [-2, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]], np.float64)
    return polytope(size, base, normals, np.array([1.0, 1, 1, 1, 1]), (roof, roof, roof, ends, ends))


def frustum(size: Triple, base: Triple, taper: tuple[float, float], *materials: Material, yaw: float = 0.0) -> Solid:
    """A box whose top is smaller than its base by `taper` (fraction of the width and depth lost; 1 is a pyramid)."""
    across, along = taper
    normals = np.array(
        [[2, across, 0], [-2, across, 0], [0, 1, 0], [0, -1, 0], [0, along, 2], [0, along, -2]], np.float64
    )
    offsets = np.array([2 - across, 2 - across, 1, 1, 2 - along, 2 - along], np.float64)
    return polytope(size, base, normals, offsets, materials, yaw=yaw)


def polytope(
    size: Triple, base: Triple, normals: Array, offsets: Array, materials: Sequence[Material], *, yaw: float = 0.0
) -> Solid:
    """Half-spaces normals @ X <= offsets, stretched from the cube of side 2 to `size` and put on `base`.

    The body must not reach out of the cube, which bounds it on the screen.
    """
    half = np.asarray(size, np.float64) / 2
    stretched = normals / half
    length = np.linalg.norm(stretched, axis=1)
    solid = Solid(stretched / length[:, None], offsets / length, None, np.zeros(3), np.eye(3), half, tuple(materials))
    centre = np.array([base[0], base[1] + half[1], base[2]])
    return _transform(solid, turn(yaw), centre)


def ellipsoid(
    size: Triple, centre: Triple, material: Material, *, rotation: Array | None = None, ragged: float = 0.0
) -> Solid:
    """An ellipsoid of full axes `size` around `centre`."""
    half = np.asarray(size, np.float64) / 2
    solid = Solid(
        np.zeros((0, 3)), np.zeros(0), np.diag(half**-2.0), np.zeros(3), np.eye(3), half, (material,), ragged=ragged
    )
    return _transform(solid, np.eye(3) if rotation is None else rotation, np.asarray(centre, np.float64))


def cylinder(
    diameter: float, height: float, base: Triple, material: Material, *, rotation: Array | None = None
) -> Solid:
    """A capped cylinder along y (or the rotated y) whose bottom's centre is `base`."""
    half = np.array([diameter / 2, height / 2, diameter / 2])
    solid = Solid(
        np.array([[0.0, 1, 0], [0, -1, 0]]),
        np.array([half[1], half[1]]),
        np.diag([half[0] ** -2.0, 0.0, half[0] ** -2.0]),
        np.zeros(3),
        np.eye(3),
        half,
        (material,),
    )
    spin = np.eye(3) if rotation is None else rotation
    return _transform(solid, spin, np.asarray(base, np.float64) + spin @ np.array([0.0, half[1], 0.0]))


def dome(size: Triple, base: Triple, material: Material, *, ragged: float = 0.0) -> Solid:
    """The upper half of an ellipsoid: width, height of the half, depth."""
    half = np.array([size[0] / 2, size[1], size[2] / 2])
    solid = ellipsoid((size[0], 2 * size[1], size[2]), base, material, ragged=ragged)
    return replace(
        solid, normals=np.array([[0.0, -1, 0]]), offsets=np.array([-base[1]]), half=half, materials=(material, material)
    )


def ground(material: Material, extent_m: float) -> Solid:
    """The plane y = 0, `extent_m` wide, as a slab."""
    return replace(box((2 * extent_m, 1.0, 2 * extent_m), (0.0, -1.0, 0.0), material), shadow=False)
