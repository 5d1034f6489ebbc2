"""Fits: exact against numpy's least squares, whatever the offset; honest about what cannot be fitted."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dpt_bench.alignment import Fit, fit_median_mad, fit_scale, fit_scale_and_shift
from dpt_bench.core.errors import UsageError

FITS = [fit_scale_and_shift, fit_scale, fit_median_mad]
FitFunction = Callable[[NDArray[np.floating], NDArray[np.floating], NDArray[np.bool_]], Fit]
COEFFICIENTS = st.floats(0.01, 100) | st.floats(-100, -0.01)


def everywhere(array: NDArray[np.floating]) -> NDArray[np.bool_]:
    return np.ones(array.shape, np.bool_)


def by_lstsq(prediction: NDArray[np.floating], target: NDArray[np.floating]) -> tuple[float, float]:
    """numpy's least squares in float64. Its columns are scaled to one length, so that a large offset costs it little."""
    x, y = prediction.astype(np.float64).ravel(), target.astype(np.float64).ravel()
    length = np.linalg.norm(x)
    solution = np.linalg.lstsq(np.stack([x / length, np.full(x.size, x.size**-0.5)], axis=1), y, rcond=None)[0]
    return float(solution[0] / length), float(solution[1] * x.size**-0.5)


@settings(deadline=None)
@given(scale=COEFFICIENTS, shift=st.floats(-100, 100), seed=st.integers(0, 999), share=st.floats(0.1, 1))
def test_recovers_known_scale_and_shift(scale: float, shift: float, seed: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    prediction = rng.random((17, 23))
    valid = rng.random((17, 23)) < share
    valid[0, :2] = True
    target = np.where(valid, scale * prediction + shift, np.nan)
    fit = fit_scale_and_shift(prediction, target, valid)
    assert fit.scale == pytest.approx(scale, rel=1e-9)
    assert fit.shift == pytest.approx(shift, rel=1e-9, abs=1e-9)
    assert fit.num_pixels == valid.sum()
    assert not fit.degenerate
    np.testing.assert_allclose(fit.apply(prediction)[valid], target[valid], rtol=1e-9, atol=1e-9)


@settings(deadline=None)
@given(scale=COEFFICIENTS, seed=st.integers(0, 999))
def test_recovers_a_known_scale(scale: float, seed: int) -> None:
    prediction = np.random.default_rng(seed).normal(3, 1, (17, 23))
    fit = fit_scale(prediction, scale * prediction, everywhere(prediction))
    assert fit.scale == pytest.approx(scale, rel=1e-12)
    assert (fit.shift, fit.num_pixels, fit.degenerate) == (0, 391, False)


@settings(deadline=None)
@given(scale=st.floats(0.01, 100), shift=st.floats(-100, 100), seed=st.integers(0, 999))
def test_median_and_deviation_recover_known_scale_and_shift(scale: float, shift: float, seed: int) -> None:
    prediction = np.random.default_rng(seed).random((17, 24))
    fit = fit_median_mad(prediction, scale * prediction + shift, everywhere(prediction))
    assert fit.scale == pytest.approx(scale, rel=1e-9)
    assert fit.shift == pytest.approx(shift, rel=1e-9, abs=1e-9)


def test_median_and_deviation_by_hand() -> None:
    prediction = np.array([[0.0, 1, 2, 3, 10]])  # median 2, deviations 2 1 0 1 8: mean 2.4
    target = np.array([[5.0, 6, 9, 7, 8]])  # median 7, deviations 2 1 2 0 1: mean 1.2
    fit = fit_median_mad(prediction, target, everywhere(target))
    assert fit == Fit(pytest.approx(0.5), pytest.approx(6), 5, degenerate=False)


@pytest.mark.parametrize("offset", [0, 1e2, 1e4, 1e6, -1e6])
@pytest.mark.parametrize("shape", [(300, 401), (3, 2), (1, 65_537)])
def test_agrees_with_lstsq_at_any_offset(offset: float, shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(7)
    prediction = offset + rng.normal(0, 1, shape)
    target = 0.3 * (prediction - offset) + rng.normal(0, 0.2, shape)
    scale, shift = by_lstsq(prediction - offset, target)  # the shifted problem is well-conditioned: its answer is exact
    fit = fit_scale_and_shift(prediction, target, everywhere(target))
    assert fit.scale == pytest.approx(scale, rel=1e-9)
    assert fit.shift == pytest.approx(shift - scale * offset, rel=1e-9, abs=1e-9 * max(1, abs(offset)))
    if abs(offset) <= 1e4:
        plain_scale, plain_shift = by_lstsq(prediction, target)
        assert fit.scale == pytest.approx(plain_scale, rel=1e-9)
        assert fit.shift == pytest.approx(plain_shift, rel=1e-9, abs=1e-9)


def test_survives_what_float32_normal_equations_do_not() -> None:
    rng = np.random.default_rng(3)
    prediction = (8000 + rng.normal(0, 1, 200_000)).astype(np.float32)
    target = (0.001 * prediction + rng.normal(0, 1e-4, 200_000)).astype(np.float32)
    scale, _ = by_lstsq(prediction.astype(np.float64) - 8000, target)
    assert fit_scale_and_shift(prediction, target, everywhere(target)).scale == pytest.approx(scale, rel=1e-9)
    total_xx, total_x = float((prediction * prediction).sum()), float(prediction.sum())
    naive = (prediction.size * float((prediction * target).sum()) - total_x * float(target.sum())) / (
        prediction.size * total_xx - total_x**2
    )
    assert abs(naive / scale - 1) > 0.01


@pytest.mark.parametrize("fit_function", FITS)
def test_invalid_pixels_change_nothing(fit_function: FitFunction) -> None:
    rng = np.random.default_rng(1)
    prediction, target = rng.random((40, 50)), rng.random((40, 50))
    valid = rng.random((40, 50)) < 0.4
    alone = fit_function(prediction[valid], target[valid], everywhere(target[valid]))
    prediction[~valid], target[~valid] = np.nan, np.inf
    assert fit_function(prediction, target, valid) == alone


def test_a_negative_scale_is_reported_as_it_is() -> None:
    prediction = np.linspace(0, 1, 60).reshape(6, 10)
    for fit in (
        fit_scale_and_shift(prediction, 5 - 2 * prediction, everywhere(prediction)),
        fit_scale(prediction, -2 * prediction, everywhere(prediction)),
    ):
        assert fit.scale == pytest.approx(-2)
        assert not fit.degenerate


@pytest.mark.parametrize("fit_function", FITS)
def test_no_valid_pixel(fit_function: FitFunction) -> None:
    grid = np.ones((4, 5))
    fit = fit_function(grid, grid, np.zeros((4, 5), np.bool_))
    assert np.isnan([fit.scale, fit.shift]).all()
    assert (fit.num_pixels, fit.degenerate) == (0, True)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("level", [0.0, 0.1, -7.3, 1e30])
def test_a_constant_prediction_fits_the_best_constant(level: float, dtype: type) -> None:
    target = np.random.default_rng(0).random((300, 300))
    prediction = np.full((300, 300), level, dtype)
    fit = fit_scale_and_shift(prediction, target, everywhere(target))
    assert fit == Fit(0.0, pytest.approx(target.mean(), rel=1e-12), 90_000, degenerate=True)
    robust = fit_median_mad(prediction, target, everywhere(target))
    assert robust == Fit(0.0, np.median(target), 90_000, degenerate=True)


def test_a_constant_with_rounding_noise_is_constant() -> None:
    rng = np.random.default_rng(0)
    noisy = np.where(rng.random((50, 50)) < 0.5, np.float32(0.1), np.nextafter(np.float32(0.1), np.float32(1)))
    fit = fit_scale_and_shift(noisy.astype(np.float32), rng.random((50, 50)), everywhere(noisy))
    assert fit.degenerate
    assert fit.scale == 0


def test_a_prediction_of_zeros_has_no_scale() -> None:
    grid = np.ones((4, 5))
    assert fit_scale(0 * grid, grid, everywhere(grid)) == Fit(0.0, 0.0, 20, degenerate=True)


@pytest.mark.parametrize("fit_function", FITS)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("where", ["prediction", "target"])
def test_one_number_that_is_not_finite(fit_function: FitFunction, bad: float, where: str) -> None:
    arrays = {"prediction": np.random.default_rng(0).random((9, 9)), "target": np.random.default_rng(1).random((9, 9))}
    arrays[where][4, 4] = bad
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit = fit_function(arrays["prediction"], arrays["target"], everywhere(arrays["target"]))
    assert np.isnan([fit.scale, fit.shift]).all()
    assert (fit.num_pixels, fit.degenerate) == (81, True)


def test_numbers_too_large_to_square() -> None:
    prediction = np.array([[1e200, -1e200, 2e200]])
    assert fit_scale_and_shift(prediction, prediction, everywhere(prediction)).degenerate
    assert fit_scale(prediction, prediction, everywhere(prediction)).degenerate


def test_single_pixel() -> None:
    fit = fit_scale_and_shift(np.array([[2.0]]), np.array([[5.0]]), np.array([[True]]))
    assert fit == Fit(0.0, 5.0, 1, degenerate=True)


@pytest.mark.parametrize("fit_function", FITS)
def test_shapes_must_agree(fit_function: FitFunction) -> None:
    with pytest.raises(UsageError, match="one shape") as caught:
        fit_function(np.ones((4, 5)), np.ones((4, 6)), np.ones((4, 6), np.bool_))
    assert "resize" in str(caught.value)


def test_the_answer_does_not_depend_on_memory_layout() -> None:
    rng = np.random.default_rng(5)
    prediction, target, valid = rng.random((60, 70)), rng.random((60, 70)), rng.random((60, 70)) < 0.5
    assert fit_scale_and_shift(prediction, target, valid) == fit_scale_and_shift(
        np.asfortranarray(prediction), target[::-1][::-1], np.asfortranarray(valid)
    )


@pytest.mark.parametrize("fit_function", FITS)
def test_the_arrays_are_left_as_they_are(fit_function: FitFunction) -> None:
    rng = np.random.default_rng(6)
    prediction, target = rng.random((8, 9)), rng.random((8, 9))
    before = prediction.copy(), target.copy()
    fit_function(prediction, target, everywhere(target))
    np.testing.assert_array_equal(prediction, before[0])
    np.testing.assert_array_equal(target, before[1])
