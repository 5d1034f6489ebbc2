from __future__ import annotations

from decimal import Decimal

import pytest

from dpt_bench.core.catalog import RECIPES, SUITES
from dpt_bench.leaderboard.columns import build_columns
from dpt_bench.leaderboard.sources import SuiteSources
from dpt_bench.metrics import load_metric


def test_columns_follow_the_published_table_then_what_was_measured(published, measured, sources) -> None:
    rows = [published("A", "tum", "0.1"), published("A", "kitti", "0.2")]
    columns = build_columns(sources(rows, [measured("B", "diw", 0.3)]), every_metric=False)
    assert [column.dataset for column in columns] == ["tum", "kitti", "diw"]


def test_the_first_metric_of_several_datasets_makes_the_short_table(measured, sources) -> None:
    rows = [
        measured("A", name, 0.1, metric=metric, on_board=metric == "rmse")
        for name in ("kitti", "nyu")
        for metric in ("absrel", "rmse")
    ]
    short = build_columns(sources(measured=rows), every_metric=False)
    full = build_columns(sources(measured=rows), every_metric=True)
    assert [column.name for column in short] == ["kitti", "nyu"]
    assert [column.metric for column in short] == ["rmse", "rmse"]
    assert [column.name for column in full] == ["kitti", "kitti_absrel", "nyu", "nyu_absrel"]


def test_a_single_dataset_has_all_its_metrics(published, sources) -> None:
    rows = [published("A", "nyu", "0.1"), published("A", "nyu", "0.9", metric="delta_1_25", better="higher")]
    columns = build_columns(sources(rows), every_metric=False)
    assert [(column.name, column.arrow) for column in columns] == [("nyu", "↓"), ("nyu_delta_1_25", "↑")]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("0.270"), "27.0"),
        (Decimal("0.0888"), "8.88"),
        (Decimal("0.1"), "10"),
        (0.08881, "8.88"),
        (0.5, "50.00"),
    ],
)
def test_fractions_print_as_percent_with_the_digits_that_were_published(
    published, sources, value: Decimal | float, text: str
) -> None:
    (column,) = build_columns(sources([published("A", "kitti", "0.0888")]), every_metric=False)
    assert column.show(value) == text
    assert column.printed_unit == "%"


def test_metres_print_as_metres(published, sources) -> None:
    (column,) = build_columns(sources([published("A", "nyu", "0.357", metric="rmse", unit="m")]), every_metric=False)
    assert (column.show(Decimal("0.357")), column.show(1.23456), column.printed_unit) == ("0.357", "1.235", "m")


def test_suite_recipe_and_metric_give_order_heading_list_and_title(published) -> None:
    suite = SUITES.load("midas")
    recipes = {name: RECIPES.load(name) for name in ("kitti", "nyu")}
    metrics = {"delta_above_1_25": load_metric("delta_above_1_25")}
    rows = tuple(
        published("A", name, "0.1", metric="delta_above_1_25", num_images=None) for name in ("kitti", "nyu", "nowhere")
    )
    columns = build_columns(SuiteSources("midas", 1, suite, recipes, metrics, (), rows), every_metric=False)
    assert [column.heading for column in columns] == ["KITTI", "NYU", "nowhere"]
    assert [column.num_images for column in columns] == [161, 654, None]
    assert columns[0].metric_title == "δ > 1.25"
    assert columns[0].keys_sha256 == RECIPES.load("kitti").splits["midas161"].keys_sha256
