"""Colours of numbers: order, range, holes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpt_bench.render.colour import (
    ColourMap,
    colour_map,
    colourise,
    colourise_depth,
    colourise_error,
    display_range,
    hatching,
)


def brightness(image: np.ndarray) -> np.ndarray:
    return image.astype(np.float64) @ [0.2126, 0.7152, 0.0722]


def test_magma_is_the_published_map_and_grows_brighter() -> None:
    table = colour_map("magma")
    assert table.shape == (256, 3)
    assert table[0].tolist() == [0, 0, 4]
    assert table[-1].tolist() == [252, 253, 191]
    assert np.abs(table[128].astype(int) - [183, 55, 121]).max() <= 3
    assert (np.diff(brightness(table)) > -0.5).all()


@pytest.mark.parametrize("name", ["reds", "blue_red"])
def test_error_maps_are_lightest_where_the_error_is_nothing(name: ColourMap) -> None:
    light = brightness(colour_map(name))
    assert abs(int(light.argmax()) - (0 if name == "reds" else 128)) <= 2


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30), st.floats(0.01, 100))
def test_order_is_kept_and_scale_does_not_matter(numbers: list[float], scale: float) -> None:
    values = np.sort(np.array(numbers))[None]
    light = brightness(colourise(values, low=values[0, 0], high=values[0, -1]))
    assert (np.diff(light[0]) > -0.5).all()
    if np.ptp(values) > 1e-3:
        scaled = brightness(colourise(values * scale, low=values[0, 0] * scale, high=values[0, -1] * scale))
        np.testing.assert_allclose(scaled, light, atol=2.0)


def test_near_is_bright_far_is_dark_and_sky_is_black() -> None:
    light = brightness(colourise_depth(np.array([[1.0, 2.0, 10.0, np.inf]]), near_m=1.0, far_m=1e9))
    assert (np.diff(light[0]) < 0).all()
    assert light[0, -1] < 2


def test_holes_are_hatched() -> None:
    values = np.full((16, 16), np.linspace(0, 1, 16))
    values[:, 3] = np.nan
    valid = np.ones((16, 16), np.bool_)
    valid[5] = False
    image = colourise(values, valid)
    stripes = hatching(16, 16)
    np.testing.assert_array_equal(image[:, 3], stripes[:, 3])
    np.testing.assert_array_equal(image[5], stripes[5])
    assert len(np.unique(stripes)) == 2
    assert (image[0, 4:] != stripes[0, 4:]).any()


def test_nothing_valid_is_all_hatched() -> None:
    image = colourise(np.zeros((9, 9)), np.zeros((9, 9), np.bool_))
    np.testing.assert_array_equal(image, hatching(9, 9))
    assert display_range(np.zeros((2, 2)), np.zeros((2, 2), np.bool_)) == (0.0, 1.0)


def test_depth_that_is_not_positive_counts_as_a_hole() -> None:
    image = colourise_depth(np.array([[0.0, -1.0, 2.0]]))
    np.testing.assert_array_equal(image[0, :2], hatching(1, 3)[0, :2])


def test_errors_have_signs_only_where_they_are_signed() -> None:
    unsigned = colourise_error(np.array([[0.0, 0.5, 1.0]]), limit=1.0)
    assert unsigned[0, 2, 0] > unsigned[0, 2, 2]
    signed = colourise_error(np.array([[-1.0, 0.0, 1.0]]), limit=1.0)
    assert signed[0, 0, 2] > signed[0, 0, 0]
    assert signed[0, 2, 0] > signed[0, 2, 2]
    assert signed[0, 1].min() > 235
