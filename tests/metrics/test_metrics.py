"""Every metric that the catalog lists, and the numbers of each on a hand-made image."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dpt_bench.core.catalog import plugin_names
from dpt_bench.core.errors import UnknownNameError
from dpt_bench.metrics import OrdinalMetric, load_metric, pixel_means
from dpt_bench.metrics._pixel_means import BLOCK

NAMES = plugin_names("dpt_bench.metrics")
PREDICTION = np.array([[1.0, 2.0, 4.0], [8.0, 3.0, 99.0]])
TARGET = np.array([[1.0, 2.5, 2.0], [5.0, 3.0, np.nan]])
VALID = np.isfinite(TARGET)
EXPECTED = {
    "absrel": (0 + 0.2 + 1.0 + 0.6 + 0) / 5,
    "absrel_disparity": (0 + 0.2 + 1.0 + 0.6 + 0) / 5,
    "sq_rel": (0.25 / 2.5 + 4 / 2 + 9 / 5) / 5,
    "rmse": np.sqrt((0.25 + 4 + 9) / 5),
    "rmse_log": np.sqrt((np.log(0.8) ** 2 + np.log(2) ** 2 + np.log(1.6) ** 2) / 5),
    "log10": (np.log10(1.25) + np.log10(2) + np.log10(1.6)) / 5,
    "silog": np.std([0, np.log(0.8), np.log(2), np.log(1.6), 0]),
    "delta_above_1_25": 2 / 5,  # 2.5 / 2 is exactly 1.25: not above it
    "delta_1_25": 2 / 5,  # and not below it
    "delta_1_25_disparity": 2 / 5,
    "delta_1_25_2": 3 / 5,
    "delta_1_25_3": 4 / 5,
    "deviation_disparity": (0.5 + 2 + 3) / (1.5 + 1 + 4 + 2),
    "rmse_disparity": np.sqrt((0.25 + 4 + 9) / 5) / 4,
}


def test_every_metric_has_an_expected_value_here() -> None:
    assert set(EXPECTED) == {name for name in NAMES if load_metric(name).needs != "ordinal"}


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_value(name: str) -> None:
    assert load_metric(name)(PREDICTION, TARGET, VALID) == pytest.approx(EXPECTED[name], rel=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_facts_are_stated_and_no_unit_is_percent(name: str) -> None:
    metric = load_metric(name)
    assert metric.title
    assert metric.citation
    assert metric.unit in {"fraction", "m", "log", "log10"}


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_without_a_valid_pixel_there_is_no_number(name: str) -> None:
    assert np.isnan(load_metric(name)(PREDICTION, TARGET, np.zeros_like(VALID)))


@pytest.mark.parametrize("name", ["delta_above_1_25", "delta_1_25", "delta_1_25_2", "delta_1_25_3"])
def test_what_is_no_positive_depth_counts_as_wrong(name: str) -> None:
    metric = load_metric(name)
    worst = 0.0 if metric.higher_is_better else 1.0
    target = np.array([2.0, 2.0, 1e-3])
    assert metric(np.array([-2.0, 0.0, -1e-3]), target, np.ones(3, bool)) == worst
    assert metric(np.array([np.nan, np.inf, -np.inf]), target, np.ones(3, bool)) == worst


@pytest.mark.parametrize("name", ["rmse_log", "log10", "silog"])
def test_logarithms_of_negative_depth_are_not_numbers(name: str) -> None:
    assert not np.isfinite(load_metric(name)(np.array([-1.0, 1.0]), np.ones(2), np.ones(2, bool)))


@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_adding_invalid_pixels_changes_nothing(data: st.DataObject) -> None:
    depth = st.floats(0.1, 100.0)
    prediction, target = (data.draw(arrays(np.float64, 12, elements=depth)) for _ in range(2))
    rubbish = data.draw(
        arrays(np.float64, (2, 5), elements=st.sampled_from([np.nan, np.inf, -np.inf, 0.0, -1.0, 1e30]))
    )
    for name in EXPECTED:
        metric = load_metric(name)
        alone = metric(prediction, target, np.ones(12, bool))
        padded = metric(
            np.concatenate([prediction, rubbish[0]]),
            np.concatenate([target, rubbish[1]]),
            np.arange(17) < 12,
        )
        np.testing.assert_equal(padded, alone)


def test_float32_is_summed_in_float64() -> None:
    prediction = np.full(3_000_000, 1.1, np.float32)
    target = np.ones_like(prediction)
    value = load_metric("absrel")(prediction, target, np.ones(prediction.shape, bool))
    assert value == pytest.approx(float(np.float32(1.1)) - 1, rel=1e-12)


def test_whdr_counts_wrong_pairs_and_a_tie_is_wrong() -> None:
    """Trap 14: '>' is farther; five pairs, of which one is the wrong way round and two are tied."""
    order = np.array([2.5, -1.0, 3.0, 0.0, 0.0])
    farther = np.array([True, False, False, True, False])
    whdr = load_metric("whdr")
    assert whdr(order, farther) == pytest.approx(3 / 5)
    assert whdr(order[:2], farther[:2]) == 0.0
    assert whdr(-order, farther) == pytest.approx(4 / 5), "a tie is no better the other way round"
    assert np.isnan(whdr(order[:0], farther[:0]))


@pytest.mark.parametrize("name", sorted(set(NAMES) - set(EXPECTED)))
def test_metrics_of_point_pairs_have_their_own_form(name: str) -> None:
    metric = load_metric(name)
    assert isinstance(metric, OrdinalMetric)
    assert metric.needs == "ordinal"
    right, wrong = (metric(np.array([sign]), np.array([True])) for sign in (1.0, -1.0))
    assert (right > wrong) == metric.higher_is_better


def test_unknown_name() -> None:
    with pytest.raises(UnknownNameError, match="absrel"):
        load_metric("absrell")


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**32), size=st.sampled_from([1, 7, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 5]))
def test_metrics_together_give_what_each_gives_alone(seed, size) -> None:
    """One pass over blocks, for all metrics that are means of pixels."""
    generator = np.random.default_rng(seed)
    target = generator.uniform(0.5, 80, size)
    prediction = target * generator.lognormal(0, 0.4, size) - generator.choice([0.0, 30.0], size)
    kept = prediction.copy()
    names = ("absrel", "rmse", "delta_1_25", "delta_1_25_2", "delta_above_1_25")
    together = pixel_means({name: load_metric(name).function for name in names}, prediction, target)
    ratio = np.where(prediction > 0, np.maximum(prediction / target, target / prediction), np.inf)
    plain = {
        "absrel": np.mean(np.abs(prediction - target) / target),
        "rmse": np.sqrt(np.mean((prediction - target) ** 2)),
        "delta_1_25": np.mean(ratio < 1.25),
        "delta_1_25_2": np.mean(ratio < 1.25**2),
        "delta_above_1_25": np.mean(ratio > 1.25),
    }
    assert together == pytest.approx(plain, rel=1e-12)
    assert together == {name: load_metric(name).function(prediction, target) for name in names}
    np.testing.assert_array_equal(prediction, kept)
    rmse = {"rmse": load_metric("rmse").function}
    functions = {name: load_metric(name).function for name in names}
    assert pixel_means(functions, prediction, target, turned_target=1 / target) == pytest.approx(plain, rel=1e-12)
    turned = pixel_means(rmse, prediction, target, prepare=lambda numbers: np.negative(numbers, out=numbers))
    assert turned["rmse"] == pytest.approx(np.sqrt(np.mean((kept + target) ** 2)), rel=1e-12)
