"""Light falls where it should: shadows, corners, haze, sky."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dpt_bench.core.sample import Camera
from dpt_bench.scenes.labels import Label
from dpt_bench.scenes.raycast.cast import cast
from dpt_bench.scenes.raycast.develop import SAMPLES, Look, develop, draw_grade
from dpt_bench.scenes.raycast.materials import paint
from dpt_bench.scenes.raycast.shade import prepare
from dpt_bench.scenes.raycast.solids import Thing, box, ground
from dpt_bench.scenes.raycast.view import Pose, camera_view
from dpt_bench.scenes.raycast.world import Light, Sky, World

WHITE = paint("plain", Label.BOX, (255, 255, 255))
RED = paint("plain", Label.BOX, (255, 0, 0))
SKY = Sky((40, 80, 200), (200, 200, 200), (255, 255, 255), 0.0)
CAMERA = Camera(40.0, 40.0, 31.5, 23.5)


def world(solids: Thing, *, haze_m: float = 1e6, ambient: float = 0.1) -> World:
    sun = Light(np.array([0.0, 400.0, 8.0]), np.array([0.0, 0.0, 8.0]), 0.05, (1, 1, 1), (ambient,) * 3, (ambient,) * 3)
    return World("test", solids, sun, SKY, haze_m, Pose(np.array([0.0, 2.0, 0.0]), pitch=-0.15))


def light_of(made: World) -> tuple[np.ndarray, np.ndarray]:
    view = camera_view(made.eye, CAMERA, 48, 64, 1)
    hits = cast(made.solids, view)
    return prepare(made).radiance(view, hits), hits.inverse_depth


def test_a_floating_box_throws_a_shadow_on_the_ground_below() -> None:
    plain, _ = light_of(world([ground(WHITE, 100)]))
    shadowed, _ = light_of(world([ground(WHITE, 100), box((2, 0.2, 2), (0, 4.0, 8), WHITE)]))
    row, column = 28, 31  # the ground about 8 m ahead
    assert shadowed[row, column].mean() < 0.4 * plain[row, column].mean()
    np.testing.assert_allclose(shadowed[row, 2], plain[row, 2], rtol=1e-4)


def test_nothing_shadows_itself() -> None:
    made = world([ground(WHITE, 100), box((3, 1, 3), (0, 0, 8), WHITE)])
    view = camera_view(made.eye, CAMERA, 48, 64, 1)
    hits = cast(made.solids, view)
    top = hits.surface == 6 + 2  # the +y side of the second box
    assert top.sum() > 20
    assert prepare(made).radiance(view, hits)[top].min() > 0.7


def test_haze_pulls_the_distance_to_the_horizon_colour() -> None:
    clear, inverse = light_of(world([ground(RED, 400)]))
    hazy, _ = light_of(world([ground(RED, 400)], haze_m=30))
    horizon = (200 / 255) ** 2
    far = (inverse > 0) & (inverse < 1 / 60)
    near = inverse > 1 / 5
    assert np.abs(hazy[far] - horizon).max() < 0.2
    np.testing.assert_allclose(hazy[near], clear[near], atol=0.2)


def test_sky_goes_from_horizon_to_zenith_and_clouds_whiten_it() -> None:
    made = world([ground(WHITE, 400)])
    clear, inverse = light_of(made)
    column = clear[:, 32][inverse[:, 32] == 0]
    assert (np.diff(column[:, 0]) > 0).all()  # red grows towards the horizon
    cloudy, _ = light_of(replace(made, sky=replace(SKY, cover=0.8)))
    assert cloudy[inverse == 0][:, 0].mean() > clear[inverse == 0][:, 0].mean()


def test_corners_of_a_room_are_darker() -> None:
    made = replace(world([ground(WHITE, 100)]), enclosure=(3.0, 3.0, 10.0))
    shader = prepare(made)
    corner, middle = (
        shader._openness([np.full(1, value, np.float32) for value in at]) for at in ((2.9, 0, 9.9), (0, 1.5, 0))
    )
    assert corner[0] < 0.7 * middle[0]


def test_development_keeps_grey_grey_and_averages_the_rays_of_a_pixel() -> None:
    look = Look((1, 1), (1, 1), (1, 1), (0, 0), noise=0.0, vignette=0.0)
    grade = draw_grade(look, np.random.default_rng(0))
    flat = develop(np.full((8, 12, 3), 0.25, np.float32), look, grade, np.random.default_rng(0))
    assert flat.shape == (8 // SAMPLES, 12 // SAMPLES, 3)
    assert (flat == 128).all()
    edge = np.zeros((8, 12, 3), np.float32)
    edge[:, 6:] = 0.25
    row = develop(edge, look, grade, np.random.default_rng(0))[0, :, 0]
    assert row[2] < row[3] < row[4] == 128
    assert row[3] == pytest.approx(255 * np.sqrt(0.25 * 0.75), abs=1)
