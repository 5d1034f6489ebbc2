from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpt_bench.core.errors import UsageError
from dpt_bench.core.kinds import DepthKind, can_score_as, to_depth, to_disparity

KINDS = st.sampled_from(list(DepthKind))


@given(KINDS)
def test_a_kind_may_be_scored_as_itself(kind: DepthKind) -> None:
    assert can_score_as(kind, kind)


@given(KINDS, KINDS, KINDS)
def test_scoring_as_weaker_is_transitive(a: DepthKind, b: DepthKind, c: DepthKind) -> None:
    if can_score_as(a, b) and can_score_as(b, c):
        assert can_score_as(a, c)


@pytest.mark.parametrize(
    ("kind", "wanted", "allowed"),
    [
        (DepthKind.METRIC_DEPTH, DepthKind.AFFINE_DISPARITY, True),
        (DepthKind.SCALE_INVARIANT_DEPTH, DepthKind.AFFINE_DISPARITY, True),
        (DepthKind.METRIC_DISPARITY, DepthKind.AFFINE_DEPTH, True),
        (DepthKind.AFFINE_DEPTH, DepthKind.AFFINE_DISPARITY, False),
        (DepthKind.AFFINE_DISPARITY, DepthKind.AFFINE_DEPTH, False),
        (DepthKind.AFFINE_DISPARITY, DepthKind.METRIC_DEPTH, False),
        (DepthKind.SCALE_INVARIANT_DEPTH, DepthKind.METRIC_DEPTH, False),
        (DepthKind.AFFINE_DISPARITY, DepthKind.ORDINAL, True),
        (DepthKind.ORDINAL, DepthKind.AFFINE_DEPTH, False),
    ],
)
def test_who_may_be_scored_as_what(kind: DepthKind, wanted: DepthKind, allowed: bool) -> None:
    assert can_score_as(kind, wanted) is allowed


@given(st.lists(st.floats(0.01, 1e4), min_size=1, max_size=20))
def test_depth_and_disparity_are_reciprocal(values: list[float]) -> None:
    depth = np.array(values)
    there = to_disparity(depth, DepthKind.METRIC_DEPTH)
    np.testing.assert_allclose(to_depth(there, DepthKind.METRIC_DISPARITY), depth, rtol=1e-12)


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf])
def test_a_number_without_a_reciprocal_becomes_nan(bad: float) -> None:
    assert np.isnan(to_disparity(np.array([bad]), DepthKind.METRIC_DEPTH)).all()


@pytest.mark.parametrize("kind", [DepthKind.AFFINE_DEPTH, DepthKind.ORDINAL])
def test_no_reciprocal_under_a_shift(kind: DepthKind) -> None:
    with pytest.raises(UsageError, match="shift"):
        to_disparity(np.ones(3), kind)
