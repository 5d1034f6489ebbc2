"""Intersects all solids with all rays of a view.

Along the ray z * (x, y, 1), in camera coordinates, a plane n X = d is met at 1/z = n (x, y, 1) / d: inverse depth is an
affine function on the screen. So a convex body costs one addition and one comparison per pixel and face.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dpt_bench.scenes.raycast.noise import CELL, Float, smooth_tile
from dpt_bench.scenes.raycast.solids import Array, Solid, Thing
from dpt_bench.scenes.raycast.view import View

Line = NDArray[np.float64]
Mask = NDArray[np.bool_]
Face = NDArray[np.int32] | np.int32
NEAR_M = 0.05
_TOUCHING = 1e-9
_CORNERS = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], np.float64)


@dataclass(frozen=True)
class Hits:
    """inverse_depth: float32 (H, W), 0 where nothing is hit. surface: int32 (H, W), index of the face, -1 for nothing.

    Faces are counted through all solids in order; see `first_faces`.
    """

    inverse_depth: Float
    surface: NDArray[np.int32]


def first_faces(solids: Thing) -> NDArray[np.int64]:
    """Index of each solid's first face, and the total at the end: int64 (S + 1,)."""
    return np.concatenate([[0], np.cumsum([solid.num_faces for solid in solids], dtype=np.int64)])


def cast(solids: Thing, view: View) -> Hits:
    """The nearest face along every ray. Solids around the eye are not seen, save for hollow ones."""
    hits = Hits(np.zeros((len(view.y), len(view.x)), np.float32), np.full((len(view.y), len(view.x)), -1, np.int32))
    firsts = first_faces(solids)
    windows, nearest = _windows(solids, view)
    for index in np.argsort(nearest, kind="stable"):
        rows, columns = windows[index]
        if rows.start >= rows.stop or columns.start >= columns.stop:
            continue
        shown = hits.inverse_depth[rows, columns]
        if nearest[index] > NEAR_M and shown.min() >= 1 / nearest[index]:
            continue  # wholly behind what has been drawn
        found = _enter(solids[index], view, view.x[columns], view.y[rows], shown)
        if found is not None:
            entry, face, seen = found
            np.copyto(shown, entry, where=seen)
            np.copyto(hits.surface[rows, columns], face + np.int32(firsts[index]), where=seen)
    return hits


def _windows(solids: Thing, view: View) -> tuple[list[tuple[slice, slice]], NDArray[np.float64]]:
    """The part of the screen that bounds each solid, and the depth of its nearest point or corner."""
    axes = np.stack([solid.axes for solid in solids])
    half = np.stack([solid.half for solid in solids])
    centre = view.to_camera(np.stack([solid.centre for solid in solids]))
    corners = centre[:, None] + np.einsum("kc,sc,scw->skw", _CORNERS, half, axes) @ view.axes.T
    low, high, nearest = _box_bounds(corners)
    oval = np.array([solid.quadric is not None and not len(solid.offsets) for solid in solids], np.bool_)
    reach = half[..., None] * (axes @ view.axes.T)
    spread = np.einsum("ski,skj->sij", reach, reach)
    _tighten(oval & (centre[:, 2] > 0), centre, spread, (low, high, nearest))
    edges = [np.searchsorted(grid, low[:, k]) for k, grid in enumerate((view.x, view.y))]
    edges += [np.searchsorted(grid, high[:, k], side="right") for k, grid in enumerate((view.x, view.y))]
    windows = [
        (slice(top, bottom), slice(left, right)) for left, top, right, bottom in np.stack(edges, axis=1).tolist()
    ]
    return windows, nearest


def _box_bounds(corners: Array) -> tuple[Array, Array, Array]:
    """Lowest and highest slopes (S, 2) of boxes with corners (S, 8, 3) on the screen, and their nearest depth."""
    sides, depth = corners[..., :2], corners[..., 2]
    nearest = depth.min(axis=1)
    slopes = sides / np.maximum(depth, NEAR_M)[..., None]  # behind the eye: on the cut or beyond
    low, high = slopes.min(axis=1), slopes.max(axis=1)
    crossing = (nearest <= NEAR_M)[:, None]
    low = np.where(crossing & (sides.min(axis=1) <= 0), -np.inf, low)  # a box beside the eye reaches to infinity
    high = np.where(crossing & (sides.max(axis=1) >= 0), np.inf, high)
    behind = depth.max(axis=1) <= NEAR_M
    low[behind], high[behind] = np.inf, -np.inf
    return low, high, nearest


def _tighten(chosen: Mask, centre: Array, spread: Array, bounds: tuple[Array, Array, Array]) -> None:
    """Put the outlines of ellipsoids in the place of those of their boxes, if they lie wholly before the eye.

    The plane x = slope * z through the eye touches the ellipsoid where (slope * c_z - c_x)^2 equals its spread along
    the plane's normal, S_xx - 2 slope S_xz + slope^2 S_zz: a quadratic in the slope.
    """
    low, high, nearest = bounds
    before = np.flatnonzero(chosen & (centre[:, 2] ** 2 > spread[:, 2, 2] + NEAR_M**2))
    centre, spread = centre[before], spread[before]
    nearest[before] = centre[:, 2] - np.sqrt(spread[:, 2, 2])
    a = centre[:, 2] ** 2 - spread[:, 2, 2]
    for k in range(2):
        b = centre[:, k] * centre[:, 2] - spread[:, k, 2]
        root = np.sqrt(np.maximum(b**2 - a * (centre[:, k] ** 2 - spread[:, k, k]), 0))
        low[before, k], high[before, k] = (b - root) / a, (b + root) / a


def _enter(solid: Solid, view: View, x: Line, y: Line, shown: Float) -> tuple[Float, Face, Mask] | None:
    """Inverse depth at which rays enter the body, the face they enter by, and where that is nearer than `shown`."""
    normals = solid.normals @ view.axes.T
    offsets = solid.offsets - solid.normals @ view.position
    offsets = np.where(np.abs(offsets) < _TOUCHING, _TOUCHING, offsets)
    slopes = normals / offsets[:, None]
    if solid.hollow:
        entry, face = _extreme(slopes, np.arange(len(slopes)), x, y, nearest=True)
        return entry, face, entry > shown
    front = np.flatnonzero(offsets < 0)
    entries = [_extreme(slopes[front], front, x, y, nearest=False)] if front.size else []
    leave = shown
    for plane in np.flatnonzero(offsets > 0):
        leave = np.maximum(leave, _affine(slopes[plane], x, y))
    if solid.quadric is not None:
        round_entry, round_leave, inside = _roots(solid, solid.quadric, view, x, y)
        leave = np.maximum(leave, round_leave)
        leave[~inside] = np.inf
        entries += [] if round_entry is None else [(round_entry, np.int32(len(offsets)))]
    if not entries:  # the eye is inside
        return None
    entry, face = entries[0]
    for other, name in entries[1:]:
        face = np.where(other < entry, name, face)
        entry = np.minimum(entry, other)
    return entry, face, entry > leave


def _affine(slopes: Line, x: Line, y: Line) -> Float:
    row = (slopes[0] * x + slopes[2]).astype(np.float32)
    column = (slopes[1] * y).astype(np.float32)
    plane: Float = row[None, :] + column[:, None]
    return plane


def _extreme(slopes: Line, faces: NDArray[np.intp], x: Line, y: Line, *, nearest: bool) -> tuple[Float, Face]:
    """The largest (nearest) or smallest inverse depth of several planes, and the face that has it."""
    extreme = _affine(slopes[0], x, y)
    if len(slopes) == 1:
        return extreme, np.int32(faces[0])
    face = np.full(extreme.shape, faces[0], np.int32)
    for plane, name in zip(slopes[1:], faces[1:], strict=True):
        other = _affine(plane, x, y)
        np.copyto(face, np.int32(name), where=other > extreme if nearest else other < extreme)
        (np.maximum if nearest else np.minimum)(extreme, other, out=extreme)
    return extreme, face


def _roots(solid: Solid, quadric: Array, view: View, x: Line, y: Line) -> tuple[Float | None, Float, Mask]:
    """Both crossings of the quadric in inverse depth q: c q^2 - 2 b q + a = 0; in float64, as b^2 - c a cancels."""
    shape = view.axes @ quadric @ view.axes.T
    centre = view.to_camera(solid.centre)
    b = shape @ centre
    c = float(centre @ b) - 1
    c = _TOUCHING if abs(c) < _TOUCHING else c
    linear = (b[0] * x + b[2])[None, :] + (b[1] * y)[:, None]
    square = (shape[0, 0] * x * x + 2 * shape[0, 2] * x + shape[2, 2])[None, :] + (
        shape[1, 1] * y * y + 2 * shape[1, 2] * y
    )[:, None]
    square += (2 * shape[0, 1] * x)[None, :] * y[:, None]
    remainder = linear * linear - c * square
    inside = remainder > 0
    if solid.ragged:
        inside &= remainder > _nibbles(solid, centre, x, y) * ((c + 1) / max(centre[2], NEAR_M) ** 2)
    root = np.sqrt(np.maximum(remainder, 0))
    leave = ((linear - root) / c).astype(np.float32)
    if c < 0:  # the eye is within an endless cylinder: there is no entry, only an exit
        return None, leave, inside
    return ((linear + root) / c).astype(np.float32), leave, inside


def _nibbles(solid: Solid, centre: Array, x: Line, y: Line) -> Float:
    """Noise fixed to the body's middle, as if on a card that faces the eye, so that both eyes see the same leaves."""
    tile = smooth_tile()[:-1, :-1]
    size = len(tile)
    depth = max(centre[2], NEAR_M)
    offset = int(abs(solid.half[0]) * 977 + abs(solid.centre[0]) * 131)
    rim = np.zeros((len(y), len(x)), np.float32)
    for leaf_m, weight in ((0.1 + 0.12 * float(solid.half.max()), 0.6), (0.06 + 0.03 * float(solid.half.max()), 0.6)):
        columns = np.floor((x * depth - centre[0]) * (CELL / leaf_m)).astype(np.int64)
        rows = np.floor((y * depth - centre[1]) * (CELL / leaf_m)).astype(np.int64)
        rim += np.float32(weight) * tile[np.ix_((rows + offset) % size, (columns + 3 * offset) % size)]
    return rim * np.float32(solid.ragged)
