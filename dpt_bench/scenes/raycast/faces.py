"""All faces of a world as tables, so that a pixel needs only its face's number to know its surface."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from dpt_bench.scenes.raycast.cast import first_faces
from dpt_bench.scenes.raycast.materials import Colour, Pattern
from dpt_bench.scenes.raycast.noise import Float
from dpt_bench.scenes.raycast.solids import Array, Thing

PATTERN_NAMES: tuple[Pattern, ...] = get_args(Pattern)


@dataclass(frozen=True, eq=False)
class Faces:
    """One column a face, F in all, in the order in which `cast` counts them.

    normal, along_u, along_v, along_w: float32 (3, F); w leaves the face. start: float32 (2, F), u and v of its
    left lower corner. extent: float32 (2, F), metres along u and v. period: float32 (2, F), the material's size.
    colours: float32 (3, 3, F), linear light of the first, second and third colour; axis 1 is RGB.
    glow: float32 (F,). seed: int32 (F,). pattern: int8 (F,), index in PATTERN_NAMES. label: uint8 (F,).
    curved: bool (F,), faces whose normal is the gradient of their solid's quadric; `body` is its place in `quadrics`
    float32 (Q, 3, 3) and `centres` float32 (Q, 3).
    """

    normal: Float
    along_u: Float
    along_v: Float
    along_w: Float
    start: Float
    extent: Float
    period: Float
    colours: Float
    glow: Float
    seed: NDArray[np.int32]
    pattern: NDArray[np.int8]
    label: NDArray[np.uint8]
    curved: NDArray[np.bool_]
    body: NDArray[np.int32]
    quadrics: Float
    centres: Float


def linear(colour: Colour | Array) -> Float:
    """Light of a colour: gamma 2, which is close to sRGB, and its inverse is a square root."""
    light: Float = (np.asarray(colour, np.float32) / np.float32(255)) ** 2
    return light


def tabulate(solids: Thing) -> Faces:
    """The tables of all faces of all solids."""
    owner = np.repeat(np.arange(len(solids)), np.diff(first_faces(solids)))
    materials = [solid.material(face) for solid in solids for face in range(solid.num_faces)]
    curved = np.array([face >= len(solid.offsets) for solid in solids for face in range(solid.num_faces)])
    normal = np.zeros((len(owner), 3))
    normal[~curved] = np.concatenate([-solid.normals if solid.hollow else solid.normals for solid in solids])
    axes = np.stack([solid.axes for solid in solids])[owner]
    half = np.stack([solid.half for solid in solids])[owner]
    centre = np.stack([solid.centre for solid in solids])[owner]
    along_u, along_v = _tangents(normal, axes, curved)
    reach = np.stack([(np.abs(np.einsum("fij,fj->fi", axes, along)) * half).sum(1) for along in (along_u, along_v)])
    middle = np.stack([(centre * along_u).sum(1), (centre * along_v).sum(1)])
    round_ones = [solid for solid in solids if solid.quadric is not None]
    return Faces(
        normal=_table(normal.T),
        along_u=_table(along_u.T),
        along_v=_table(along_v.T),
        along_w=_table(np.cross(along_u, along_v).T),
        start=_table(middle - reach),
        extent=_table(2 * reach),
        period=_table(np.array([material.size for material in materials]).T),
        colours=linear(np.array([material.colours for material in materials])).transpose(1, 2, 0).copy(),
        glow=_table([material.glow for material in materials]),
        seed=np.array([material.seed for material in materials], np.int32),
        pattern=np.array([PATTERN_NAMES.index(material.pattern) for material in materials], np.int8),
        label=np.array([material.label for material in materials], np.uint8),
        curved=curved,
        body=(np.cumsum(curved) - 1).astype(np.int32),
        quadrics=_table([_of_trace_one(solid.quadric) for solid in round_ones] or np.zeros((0, 3, 3))),
        centres=_table([solid.centre for solid in round_ones] or np.zeros((0, 3))),
    )


def _table(values: object) -> Float:
    return np.ascontiguousarray(np.asarray(values, np.float32))


def _of_trace_one(quadric: Array | None) -> Array:
    assert quadric is not None
    scaled: Array = quadric / np.trace(quadric)  # only the direction of its gradient counts; keeps float32 in range
    return scaled


def _tangents(normal: Array, axes: Array, curved: NDArray[np.bool_]) -> tuple[Array, Array]:
    """U to the right and v upwards on the face; on faces that lie flat, v is the body's z."""
    lying = np.abs((normal * axes[:, 1]).sum(1)) > 0.9
    up = np.where(lying[:, None], axes[:, 2], axes[:, 1])
    upright = up - (up * normal).sum(1, keepdims=True) * normal
    upright /= np.linalg.norm(upright, axis=1, keepdims=True)
    right = np.cross(upright, normal)
    right[curved] = (axes[:, 0] + 0.6 * axes[:, 2])[curved]
    upright[curved] = (axes[:, 1] + 0.35 * axes[:, 2] - 0.25 * axes[:, 0])[curved]
    return right, upright
