"""Ordered point pairs: which way round, read where, and what a tie or a broken prediction gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpt_bench.core.errors import SampleError, UsageError
from dpt_bench.core.kinds import DepthKind
from dpt_bench.core.sample import OrdinalPairs
from dpt_bench.readers.diw import parse_pair
from dpt_bench.resize import resize_prediction
from dpt_bench.scoring import check_predictor, check_target, required_kind, score, score_pairs

DISPARITY = DepthKind.AFFINE_DISPARITY


@pytest.fixture
def diw(make_protocol):
    return make_protocol(metrics=("whdr",), alignment="none", cap_m=None)


def pairs(*lines: str, size: tuple[int, int]) -> OrdinalPairs:
    """Lines as in DIW_test.csv: y_A,x_A,y_B,x_B,relation,width,height."""
    parsed = [parse_pair(line, *size) for line in lines]
    return OrdinalPairs(np.concatenate([one[0] for one in parsed]), np.concatenate([one[1] for one in parsed]))


def test_lines_of_the_list_by_hand(diw) -> None:
    """Trap 14: y before x, counted from 1, '>' says that A is farther, a tie is wrong. Depth (2, 3):

    1 2 3
    4 5 6
    """
    depth = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 5.0]])
    lines = {
        "1,3,1,1,>,3,2": True,  # 3 > 1
        "2,1,1,3,>,3,2": True,  # 4 > 3; with x first it would be 2 > 3, with rows from 0 outside
        "1,3,1,1,<,3,2": False,
        "1,2,2,2,<,3,2": True,  # 2 < 5
        "2,2,2,3,>,3,2": False,  # tied
        "2,2,2,3,<,3,2": False,
    }
    for kind, values in ((DepthKind.METRIC_DEPTH, depth), (DISPARITY, 9 - 2 * depth), (DepthKind.ORDINAL, depth)):
        for line, right in lines.items():
            scored = score_pairs(pairs(line, size=(2, 3)), values, kind, (2, 3), diw)
            assert scored.values == {"whdr": 0.0 if right else 1.0}, (kind, line)
            assert scored.flags == (("tied-pair",) if line.startswith("2,2,2,3") else ())
            assert (scored.n_valid, scored.scale, scored.shift, scored.skipped) == (1, None, None, None)
        together = score_pairs(pairs(*lines, size=(2, 3)), values, kind, (2, 3), diw)
        assert together.values["whdr"] == pytest.approx(3 / 6)
        assert together.n_valid == 6


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 2**32), kind=st.sampled_from(list(DepthKind)))
def test_the_same_as_on_the_enlarged_map(seed: int, kind: DepthKind, make_protocol) -> None:
    protocol = make_protocol(metrics=("whdr",), alignment="none", cap_m=None)
    generator = np.random.default_rng(seed)
    size = tuple(generator.integers(2, 60, 2))
    prediction = generator.normal(0, 1, generator.integers(1, 30, 2))
    points = np.stack([generator.integers(0, size[1 - axis], (9, 2)) for axis in (0, 1)], axis=-1).astype(float)
    target = OrdinalPairs(points, generator.random(9) < 0.5)
    full = resize_prediction(prediction, size, "bilinear")
    seen = full[points[..., 1].astype(int), points[..., 0].astype(int)]
    difference = (seen[:, 0] - seen[:, 1]) * (-1 if kind.is_disparity else 1)
    clear = np.abs(difference) > 1e-5
    clear_target = OrdinalPairs(points[clear], target.farther[clear])
    scored = score_pairs(clear_target, prediction, kind, size, protocol)
    if not clear.any():
        assert scored.skipped == "no-valid-pixel"
        return
    assert scored.values["whdr"] == np.mean((difference[clear] > 0) != target.farther[clear])
    assert scored.flags == ()


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**32), scale=st.floats(1e-3, 1e3), shift=st.floats(-10, 10))
def test_scale_and_shift_of_the_prediction_do_not_matter(seed, scale, shift, make_protocol) -> None:
    protocol = make_protocol(metrics=("whdr",), alignment="none", cap_m=None)
    generator = np.random.default_rng(seed)
    prediction = generator.integers(0, 10, (6, 8)).astype(float)
    target = OrdinalPairs(generator.integers(0, 6, (12, 2, 2)).astype(float), generator.random(12) < 0.5)
    first, second = (
        score_pairs(target, values, DISPARITY, (6, 8), protocol) for values in (prediction, scale * prediction + shift)
    )
    assert first == second


def test_a_prediction_that_is_not_finite_at_a_point_is_a_skip(diw) -> None:
    """Trap 25; elsewhere it is a flag."""
    target = pairs("1,3,1,1,>,3,2", size=(2, 3))
    prediction = np.array([[1.0, np.inf, 3.0], [4.0, 5.0, 6.0]])
    elsewhere = score_pairs(target, prediction, DepthKind.METRIC_DEPTH, (2, 3), diw)
    assert (elsewhere.values, elsewhere.flags) == ({"whdr": 0.0}, ("non-finite-prediction",))
    prediction[0, 0] = np.nan
    broken = score_pairs(target, prediction, DepthKind.METRIC_DEPTH, (2, 3), diw)
    assert (broken.values, broken.skipped, broken.n_valid) == ({}, "non-finite-prediction", 1)


def test_every_kind_can_be_ordered(diw) -> None:
    assert required_kind(diw) is DepthKind.ORDINAL
    check_target(DepthKind.ORDINAL, diw)
    for kind in DepthKind:
        check_predictor("mine", kind, diw)


@pytest.mark.parametrize(
    ("kind", "changes", "reason"),
    [
        (DepthKind.ORDINAL, {"alignment": "scale_and_shift"}, "an alignment means nothing"),
        (DepthKind.ORDINAL, {"cap_m": 10.0}, "cap_m or target_range_m means nothing"),
        (DepthKind.ORDINAL, {"target_range_m": (0.0, 10.0)}, "cap_m or target_range_m means nothing"),
        (DepthKind.ORDINAL, {"crop": "garg"}, "a crop means nothing"),
        (DepthKind.ORDINAL, {"upsample": "bicubic"}, "other than bilinear means nothing"),
        (DepthKind.ORDINAL, {"metrics": ("absrel",)}, "absrel needs"),
        (DepthKind.METRIC_DEPTH, {}, "whdr needs ordered point pairs"),
        (DepthKind.METRIC_DEPTH, {"metrics": ("absrel", "whdr")}, "whdr needs ordered point pairs"),
    ],
)
def test_what_does_not_fit_pairs_is_refused(kind, changes, reason, make_protocol) -> None:
    protocol = make_protocol(**{"metrics": ("whdr",), "alignment": "none", "cap_m": None, **changes})
    with pytest.raises(UsageError, match=reason):
        check_target(kind, protocol)


def test_a_reader_that_gives_the_other_target_is_told(diw, make_protocol, make_target) -> None:
    with pytest.raises(SampleError, match="compares ordered point pairs"):
        score(make_target(np.full((2, 3), 4.0)), np.ones((3, 3)), DepthKind.METRIC_DEPTH, diw)
    with pytest.raises(SampleError, match="compares maps"):
        score_pairs(pairs("1,3,1,1,>,3,2", size=(2, 3)), np.eye(3), DISPARITY, (2, 3), make_protocol())
