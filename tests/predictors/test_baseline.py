"""The baselines."""

from __future__ import annotations

import numpy as np
import pytest

from dpt_bench.core.errors import UsageError
from dpt_bench.core.kinds import DepthKind
from dpt_bench.core.suite import ResizeRule
from dpt_bench.predictors import PredictorOptions, Query, load_predictor

RULE = ResizeRule(side="longer")


def test_constant() -> None:
    predictor = load_predictor("baseline:constant")
    assert (predictor.kind, predictor.preprocessing) == (DepthKind.AFFINE_DISPARITY, "own")
    prediction = predictor.predict([Query(np.zeros((7, 9, 3), np.uint8))], RULE)[0]
    assert prediction.input_size == prediction.values.shape == (7, 9)
    assert np.ptp(prediction.values) == 0


def test_ground_is_metric_and_ends_at_the_horizon() -> None:
    predictor = load_predictor("baseline:ground")
    assert predictor.kind == DepthKind.METRIC_DEPTH
    values = predictor(np.zeros((128, 424, 3), np.uint8))
    assert np.ptp(values, axis=1).max() == 0
    assert (values[:64] == 80).all()
    assert (np.diff(values[:, 0]) <= 0).all()
    angle = np.arctan(63.5 / (212 / np.tan(np.radians(40))))
    np.testing.assert_allclose(values[-1], 1.6 / np.tan(angle), rtol=1e-6)


def test_ramp_comes_nearer_downwards() -> None:
    values = load_predictor("baseline:ramp")(np.zeros((7, 9, 3), np.uint8))
    assert values.shape == (7, 9)
    assert values.dtype == np.float32
    np.testing.assert_allclose(values[:, 4], np.arange(7) / 6, rtol=1e-6)
    assert np.ptp(values, axis=1).max() == 0
    assert load_predictor("baseline:ramp")(np.zeros((1, 3, 3), np.uint8)).shape == (1, 3)


def test_a_variant_that_nobody_would_read_is_refused() -> None:
    with pytest.raises(UsageError, match="baseline models have no variants") as caught:
        load_predictor("baseline:ramp", PredictorOptions(variant="dpt-hybrid-nyu"))
    assert "FILE,variant=NAME" in str(caught.value)
