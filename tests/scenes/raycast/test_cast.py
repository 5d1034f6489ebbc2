"""Rays against convex bodies, compared with formulas for single rays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpt_bench.core.sample import Camera
from dpt_bench.scenes.content.outdoors import rock
from dpt_bench.scenes.labels import Label
from dpt_bench.scenes.raycast import cast as cast_module
from dpt_bench.scenes.raycast.cast import cast
from dpt_bench.scenes.raycast.materials import paint
from dpt_bench.scenes.raycast.solids import (
    Solid,
    box,
    cylinder,
    dome,
    ellipsoid,
    frustum,
    gable,
    ground,
    move,
    room,
    transform,
    turn,
)
from dpt_bench.scenes.raycast.view import Pose, View, beside, camera_view

GREY = paint("plain", Label.BOX, (128, 128, 128))
CAMERA = Camera(40.0, 40.0, 15.5, 11.5)


def look(*, height_m: float = 1.0, yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0) -> View:
    return camera_view(Pose(np.array([0.0, height_m, 0.0]), yaw, pitch, roll), CAMERA, 24, 32, 1)


def points(view: View, inverse_depth: np.ndarray) -> np.ndarray:
    """World coordinates of what was hit: (N, 3)."""
    rows, columns = np.nonzero(inverse_depth > 0)
    rays = np.stack([view.x[columns], view.y[rows], np.ones(len(rows))], axis=1)
    return view.position + (rays / inverse_depth[rows, columns][:, None]) @ view.axes


def inside_by(solid: Solid, where: np.ndarray) -> np.ndarray:
    """How far points lie outside of a solid; 0 on its surface, in units of its own functions."""
    outside = np.full(len(where), -np.inf)
    if len(solid.offsets):
        outside = (where @ solid.normals.T - solid.offsets).max(axis=1)
    if solid.quadric is not None:
        offset = where - solid.centre
        outside = np.maximum(outside, np.einsum("ni,ij,nj->n", offset, solid.quadric, offset) - 1)
    return outside


SHAPES = {
    "box": box((1, 2, 1.5), (0, 0, 0), GREY),
    "ellipsoid": ellipsoid((1, 2, 1.4), (0, 1, 0), GREY, rotation=turn(0.3, 0.5, 0.2)),
    "cylinder": cylinder(1.2, 1.5, (0, 0, 0), GREY),
    "lying cylinder": cylinder(1.2, 1.5, (0, 0.6, 0), GREY, rotation=turn(0.4, 0, np.pi / 2)),
    "dome": dome((2, 1.3, 2), (0, 0, 0), GREY),
    "gable": gable((2, 1, 2), (0, 0, 0), GREY, GREY),
    "pyramid": frustum((2, 2, 2), (0, 0, 0), (1, 1), GREY),
}


@pytest.mark.parametrize("name", sorted(SHAPES))
@settings(deadline=None, max_examples=15)
@given(
    x=st.floats(-1, 1), z=st.floats(3, 9), yaw=st.floats(-3, 3), height_m=st.floats(0.2, 4), pitch=st.floats(-0.3, 0.2)
)
def test_hits_lie_on_the_surface_towards_the_eye(
    name: str, x: float, z: float, yaw: float, height_m: float, pitch: float
) -> None:
    (solid,) = move([SHAPES[name]], x, z, yaw=yaw)
    view = look(height_m=height_m, pitch=pitch)
    found = cast([solid], view)
    where = points(view, found.inverse_depth)
    np.testing.assert_allclose(inside_by(solid, where), 0, atol=2e-3)
    towards_eye = where + 1e-2 * (view.position - where)
    assert (inside_by(solid, towards_eye) > 0).all()


@pytest.mark.parametrize("solid", [*SHAPES.values(), *rock(np.random.default_rng(0))])
def test_bodies_stay_within_the_box_that_bounds_them_on_the_screen(solid: Solid) -> None:
    local = np.random.default_rng(0).uniform(-3, 3, (20000, 3))
    within = inside_by(solid, solid.centre + (local * solid.half) @ solid.axes) <= 0
    assert within.any()
    assert (np.abs(local[within]) <= 1 + 1e-9).all()


@pytest.mark.parametrize("name", sorted(SHAPES))
@settings(deadline=None, max_examples=15)
@given(x=st.floats(-3, 3), z=st.floats(-2, 9), yaw=st.floats(-3, 3))
def test_the_window_on_the_screen_cuts_nothing_off(name: str, x: float, z: float, yaw: float) -> None:
    bodies = move([SHAPES[name]], x, z, yaw=yaw)
    view = look(height_m=1.3, pitch=-0.1)
    with pytest.MonkeyPatch.context() as patch:
        found = cast(bodies, view).inverse_depth
        everywhere = [(slice(0, len(view.y)), slice(0, len(view.x)))]
        patch.setattr(cast_module, "_windows", lambda solids, view: (everywhere, np.zeros(1)))
        np.testing.assert_array_equal(found, cast(bodies, view).inverse_depth)


def test_ground_is_where_the_formula_says() -> None:
    view = look(height_m=1.5, pitch=-0.2)
    found = cast([ground(GREY, 100.0)], view)
    rays = view.y[:, None] * view.axes[1, 1] + view.x[None, :] * view.axes[0, 1] + view.axes[2, 1]
    below = rays < -0.02
    np.testing.assert_allclose(1 / found.inverse_depth[below], (-1.5 / rays)[below], rtol=1e-5)
    assert (found.inverse_depth[rays > 0] == 0).all()
    assert (found.surface[rays > 0] == -1).all()


def test_nearer_solid_hides_the_farther_whatever_their_order() -> None:
    near, far = box((1, 1, 1), (0, 0.5, 4), GREY), box((6, 6, 1), (0, -2, 8), GREY)
    first, second = cast([near, far], look()), cast([far, near], look())
    np.testing.assert_array_equal(first.inverse_depth, second.inverse_depth)
    assert first.inverse_depth[12, 16] == pytest.approx(1 / 3.5)
    assert first.surface[12, 16] == 5  # the -z side of the first solid
    assert second.surface[12, 16] == 11


def test_a_room_is_seen_from_inside() -> None:
    walls = room((4, 3, 6), (GREY,) * 6)
    view = look(height_m=1.2, yaw=0.4)
    found = cast([walls], view)
    assert (found.surface >= 0).all()
    np.testing.assert_allclose(inside_by(walls, points(view, found.inverse_depth)), 0, atol=1e-4)


@pytest.mark.parametrize(
    "solid", [box((1, 3, 1), (0, 0, 0), GREY), cylinder(1, 3, (0, 0, 0), GREY), SHAPES["ellipsoid"]]
)
def test_nothing_is_seen_of_a_solid_around_the_eye(solid: Solid) -> None:
    assert (cast([solid], look(height_m=1.0)).inverse_depth == 0).all()


def test_the_eye_may_stand_above_a_cylinder_within_its_width() -> None:
    view = look(height_m=3.0, pitch=-1.4)
    found = cast([cylinder(4.0, 1.0, (0, 0, 0), GREY)], view)
    where = points(view, found.inverse_depth)
    assert len(where) > 500
    np.testing.assert_allclose(where[:, 1], 1.0, atol=1e-4)


def test_a_solid_beside_and_behind_the_eye_is_cut_correctly() -> None:
    wall = box((1, 4, 30), (2, 0, 0), GREY)
    view = look(yaw=0.5)
    where = points(view, cast([wall], view).inverse_depth)
    assert len(where) > 50
    np.testing.assert_allclose(where[:, 0], 1.5, atol=1e-3)


def test_ragged_foliage_is_smaller_and_alike_in_both_eyes() -> None:
    smooth, ragged = (ellipsoid((3, 3, 3), (0, 1, 8), GREY, ragged=amount) for amount in (0.0, 0.9))
    view = look()
    counts = [int((cast([solid], view).inverse_depth > 0).sum()) for solid in (smooth, ragged)]
    assert 0.3 * counts[0] < counts[1] < counts[0]
    left = cast([ragged], view).inverse_depth > 0
    right = cast([ragged], beside(view, 8 / 40)).inverse_depth > 0  # one pixel of disparity at the centre
    assert (left[:, 1:] != right[:, :-1]).mean() < 0.04


def test_rolling_the_camera_turns_the_picture() -> None:
    assert cast([box((9, 9, 1), (6, -4, 6), GREY)], look()).inverse_depth[12, 31] > 0
    tilted = cast([ground(GREY, 50.0)], look(roll=0.5)).inverse_depth > 0
    assert tilted[:, -1].sum() != tilted[:, 0].sum()


def test_transform_keeps_shape() -> None:
    (moved,) = transform([SHAPES["cylinder"]], turn(0.7, 0.2), np.array([1.0, 2.0, 3.0]))
    corner = np.array([0.6, 1.5, 0.0])
    assert inside_by(SHAPES["cylinder"], corner[None])[0] == pytest.approx(0, abs=1e-9)
    assert inside_by(moved, (turn(0.7, 0.2) @ corner + [1, 2, 3])[None])[0] == pytest.approx(0, abs=1e-9)
