from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from dpt_bench.core.errors import FormatError
from dpt_bench.formats import images
from dpt_bench.stereo import png_maps

MAPS = hnp.arrays(
    np.float32, hnp.array_shapes(min_dims=2, max_dims=2, max_side=9), elements=st.floats(-200, 200, width=32)
)


@settings(deadline=None, max_examples=60)
@given(MAPS)
def test_disparity_survives_within_half_a_step(disparity: np.ndarray) -> None:
    found = png_maps.decode_disparity(png_maps.encode_disparity(disparity))
    step = float(np.ptp(disparity.astype(np.float64))) / 65535
    np.testing.assert_allclose(found, disparity, atol=step / 2 + 2e-5)


def test_the_range_fills_the_codes_and_the_texts_turn_them_back() -> None:
    data = png_maps.encode_disparity(np.array([[-3.0, 0.0, 7.0]], np.float32))
    assert images.decode_gray(data).tolist() == [[0, 19660, 65535]] or images.decode_gray(data)[0, 1] == 19661
    assert {key: float(value) for key, value in images.png_text(data).items()} == {"offset": -3.0, "scale": 10 / 65535}


def test_a_constant_map_has_a_scale() -> None:
    data = png_maps.encode_disparity(np.full((2, 3), -4.5, np.float32))
    np.testing.assert_array_equal(png_maps.decode_disparity(data), np.float32(-4.5))


@pytest.mark.parametrize(
    "text", [None, {"offset": "1"}, {"scale": "1"}, {"offset": "x", "scale": "1"}, {"offset": "0", "scale": "0"}]
)
def test_without_its_two_numbers_a_map_means_nothing(text) -> None:
    data = images.encode_png(np.ones((2, 2), np.uint16), text=text)
    with pytest.raises(FormatError) as raised:
        png_maps.decode_disparity(data)
    assert raised.value.reason == "missing-scale"


def test_bit_depths_are_checked() -> None:
    with pytest.raises(FormatError, match="uint16"):
        png_maps.decode_disparity(images.encode_png(np.ones((2, 2), np.uint8)))
    with pytest.raises(FormatError, match="uint8"):
        png_maps.decode_uncertainty(images.encode_png(np.ones((2, 2), np.uint16)))


def test_uncertainty_is_in_tenths_of_a_pixel_and_saturates() -> None:
    data = png_maps.encode_uncertainty(np.array([[0.0, 0.94, 0.96, 1.04, 25.5, 400.0]], np.float32))
    assert png_maps.decode_uncertainty(data).tolist() == [[0, 9, 10, 10, 255, 255]]


@pytest.mark.parametrize(
    ("limit_px", "code"), [(1.0, 10), (2.0, 20), (0.3, 3), (0.299, 2), (0.05, 0), (2.0 * 940 / 1880, 10)]
)
def test_the_largest_valid_code(limit_px: float, code: int) -> None:
    assert png_maps.uncertainty_code(limit_px) == code
