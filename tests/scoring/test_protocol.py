"""Which predictions and targets a protocol takes."""

from __future__ import annotations

import pytest

from dpt_bench.core.errors import UnknownNameError, UsageError
from dpt_bench.core.kinds import DepthKind
from dpt_bench.scoring import check_predictor, check_target, required_kind

METRIC_DEPTH, AFFINE_DEPTH = DepthKind.METRIC_DEPTH, DepthKind.AFFINE_DEPTH


def test_affine_depth_is_refused_in_disparity_with_the_reason(make_protocol) -> None:
    with pytest.raises(UsageError, match="unknown shift") as caught:
        check_predictor("mine", AFFINE_DEPTH, make_protocol())
    assert "mine predicts affine_depth" in str(caught.value)
    check_predictor("mine", AFFINE_DEPTH, make_protocol(alignment_space="depth"))


def test_affine_disparity_is_refused_in_depth(make_protocol) -> None:
    with pytest.raises(UsageError, match="unknown shift"):
        check_predictor("mine", DepthKind.AFFINE_DISPARITY, make_protocol(alignment_space="depth"))


def test_a_weaker_kind_is_refused(make_protocol) -> None:
    with pytest.raises(UsageError, match="weaker"):
        check_predictor("mine", DepthKind.AFFINE_DISPARITY, make_protocol(alignment="scale"))
    with pytest.raises(UsageError, match="weaker"):
        check_predictor("mine", DepthKind.ORDINAL, make_protocol())
    with pytest.raises(UsageError, match="weaker"):
        check_predictor("mine", AFFINE_DEPTH, make_protocol(alignment_space="log_depth"))


@pytest.mark.parametrize("space", ["disparity", "depth", "log_depth"])
@pytest.mark.parametrize("alignment", ["scale_and_shift", "scale", "none"])
def test_metric_depth_is_scored_everywhere(space, alignment, make_protocol) -> None:
    protocol = make_protocol(alignment_space=space, alignment=alignment)
    check_predictor("mine", METRIC_DEPTH, protocol)
    assert required_kind(protocol).is_metric == (alignment == "none")


@pytest.mark.parametrize(
    ("kind", "changes", "reason"),
    [
        (DepthKind.AFFINE_DISPARITY, {}, "metric absrel needs scale_invariant_depth"),
        (DepthKind.SCALE_INVARIANT_DEPTH, {"metrics": ("rmse",)}, "metric rmse needs metric_depth"),
        (DepthKind.SCALE_INVARIANT_DEPTH, {"metrics": ("absrel",)}, "in metres"),
        (METRIC_DEPTH, {"cap_m": None}, "set cap_m"),
        (
            DepthKind.AFFINE_DISPARITY,
            {"metrics": ("rmse_disparity",), "alignment_space": "depth", "cap_m": None},
            "the alignment is in depth",
        ),
    ],
)
def test_a_protocol_that_asks_too_much_of_its_targets(kind, changes, reason, make_protocol) -> None:
    with pytest.raises(UsageError, match=reason):
        check_target(kind, make_protocol(**changes))


def test_an_unknown_metric_is_named(make_protocol) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'absrel'"):
        check_target(METRIC_DEPTH, make_protocol(metrics=("absrell",)))


def test_midas_takes_metric_targets(make_protocol) -> None:
    check_target(METRIC_DEPTH, make_protocol())
    check_target(DepthKind.AFFINE_DISPARITY, make_protocol(metrics=("rmse_disparity",), cap_m=None))
