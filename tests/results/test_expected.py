"""Ours beside the published numbers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dpt_bench.core.catalog import SUITES
from dpt_bench.core.errors import UnknownNameError, UsageError
from dpt_bench.results import SummaryRow
from dpt_bench.results.expected import (
    check_expectation,
    compare_with_published,
    load_expectations,
    reasons_for,
)
from dpt_bench.results.published import load_published

LARGE = "dpt_large-midas-2f21e586"


@pytest.fixture
def measured() -> Callable[..., SummaryRow]:
    def make(model: str, dataset: str, mean: float | None, metric: str = "absrel", **changes: object) -> SummaryRow:
        facts: dict[str, object] = dict.fromkeys(SummaryRow.model_fields, "")
        facts |= {"model": model, "dataset": dataset, "metric": metric, "mean": mean, "unit": "fraction"}
        facts |= {"better": "lower", "on_board": True, "n_images": 454, "n_skipped": 0, "n_flagged": 0}
        facts |= {"label": "complete", "trained_on_dataset": False, "suite": "midas", "suite_version": 1}
        facts |= {"kind": "affine_disparity", "scored_as": "affine_disparity", "resized_by": "suite"}
        return SummaryRow.model_validate({**facts, **changes})

    return make


def test_every_released_model_has_a_row_of_its_suite() -> None:
    for one in load_expectations().models:
        rows = [
            row
            for row in load_published(one.suite)
            if (row.model, row.trained_on, row.table) == (one.model, one.trained_on, one.table)
        ]
        assert rows, one
        assert {row.status for row in rows} == {"verified"}
        assert len({row.paper for row in rows}) == 1, "one table, not two"


def test_every_reason_is_of_a_dataset_of_its_suite() -> None:
    for reason in load_expectations().reasons:
        assert set(reason.datasets) <= {one.recipe for one in SUITES.load(reason.suite).datasets}
        assert reason.source


@pytest.mark.parametrize("name", [LARGE, "Intel/dpt-large", "hf:Intel/dpt-large"])
def test_a_released_file_finds_its_row(name: str, measured) -> None:
    rows = [measured(name, "eth3d", 0.0894), measured(name, "sintel", 0.281), measured(name, "eth3d", 3.0, "rmse")]
    eth3d, sintel = compare_with_published(rows, "published")
    assert (str(eth3d.published.value), eth3d.published.model) == ("0.089", "DPT-Large")
    assert eth3d.difference == pytest.approx(0.0004)
    assert eth3d.same, "0.0894 is printed as 0.089"
    assert sintel.difference == pytest.approx(0.011)
    assert not sintel.same
    said = reasons_for([eth3d, sintel])
    assert any("pass is not stated" in reason.text for reason in said)
    assert not any("float32" in reason.text for reason in said), "ETH3D agrees: nothing is to be explained"
    assert reasons_for([eth3d]) == []


def test_printed_digits_decide_what_is_the_same(measured) -> None:
    def same(mean: float) -> bool:
        return compare_with_published([measured(LARGE, "kitti", mean, "delta_above_1_25")], "published")[0].same

    assert same(0.08464)
    assert same(0.08455)
    assert not same(0.0847)
    assert not same(0.0845)


def test_a_model_that_nobody_published(measured) -> None:
    assert compare_with_published([measured("mine", "eth3d", 0.1)], "published") == []
    (one,) = compare_with_published([measured("mine", "eth3d", 0.1)], "DPT-Hybrid")
    assert str(one.published.value) == "0.093"


def test_what_makes_two_numbers_incomparable_is_said(measured) -> None:
    changes = {
        "sample-world": {"label": "sample-world"},
        "30 of 454 images": {"label": "partial", "n_images": 30},
        "2 images without a number (corrupt-file:2)": {"n_skipped": 2, "skips": "corrupt-file:2"},
        "the model resized": {"resized_by": "own"},
        "predicts metric_depth, scored as affine_disparity": {"kind": "metric_depth"},
    }
    for words, change in changes.items():
        (one,) = compare_with_published([measured(LARGE, "eth3d", 0.09, **change)], "published")
        assert any(words.replace("sample-world", "sample world") in remark for remark in one.remarks), words
    (plain,) = compare_with_published([measured(LARGE, "eth3d", 0.09)], "published")
    assert plain.remarks == ()


def test_an_image_set_without_a_mean_and_another_version(measured) -> None:
    (one,) = compare_with_published([measured(LARGE, "eth3d", None)], "published")
    assert (one.difference, one.same) == (None, False)
    assert compare_with_published([measured(LARGE, "eth3d", 0.09, suite_version=2)], "published") == []
    assert compare_with_published([], "published") == []


def test_wrong_calls_are_refused_before_the_work() -> None:
    check_expectation("midas", "published")
    check_expectation("midas", "DPT-Large")
    with pytest.raises(UsageError, match="nothing is published under the suite 'mine'"):
        check_expectation("mine", "published")
    with pytest.raises(UnknownNameError, match="DPT-Large"):
        check_expectation("midas", "DPT-Larg")
