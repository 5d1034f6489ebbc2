"""DIW: y before x, counted from 1, '>' is farther; odd coordinates and broken lists."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dpt_bench.core.catalog import RECIPES
from dpt_bench.core.errors import SampleError, UsageError
from dpt_bench.formats import images
from dpt_bench.readers.diw import Reader, parse_pair
from dpt_bench.scenes import scenes_for

RECIPE = RECIPES.load("diw")
THUMB = images.encode_jpeg(np.zeros((20, 30, 3), np.uint8))


def test_y_comes_first_counted_from_one_and_greater_is_farther() -> None:
    points, farther = parse_pair("3,10,20,30,>,30,20", 20, 30)
    assert points.tolist() == [[[9, 2], [29, 19]]]
    assert farther.tolist() == [True]
    assert parse_pair("3,10,20,30,<,30,20", 20, 30)[1].tolist() == [False]


@pytest.mark.parametrize(
    ("line", "points"),
    [
        ("3.7,10.2,1,1,>,30,20", [[9, 2], [0, 0]]),
        ("0,0,21,31,>,30,20", [[0, 0], [29, 19]]),
        ("5,9,1,1,>,60,40", [[4, 2], [0, 0]]),  # the line names an image of twice the size
    ],
)
def test_odd_coordinates_are_floored_clipped_and_scaled(line: str, points: list[list[int]]) -> None:
    assert parse_pair(line, 20, 30)[0][0].tolist() == points


@pytest.mark.parametrize(
    "line", ["", "1,2,3", "1,2,3,4,=,30,20", "a,2,3,4,>,30,20", "1,2,3,4,>,0,20", "nan,2,3,4,>,3,2"]
)
def test_a_broken_line_is_a_rejection(line: str) -> None:
    with pytest.raises(SampleError) as raised:
        parse_pair(line, 20, 30)
    assert raised.value.reason == "bad-annotation"


def test_annotated_images_that_are_there(put, read, tmp_path: Path) -> None:
    put("DIW_Annotations/DIW_test.csv", "./DIW_test/a.thumb\n1,2,3,4,<,30,20\n./DIW_test/b.thumb\n1,2,3,4,>,30,20\n")
    put("data/DIW_test/a.thumb", THUMB)
    put("data/DIW_test/not_listed.thumb", THUMB)
    samples = read(tmp_path, "diw", "test")
    assert list(samples) == ["DIW_test/a"]
    assert samples["DIW_test/a"].image.shape == (20, 30, 3)
    assert samples["DIW_test/a"].target.points.tolist() == [[[1, 0], [3, 2]]]
    remarks = Reader().list(tmp_path, RECIPE, "test").schema.metadata
    assert remarks == {b"listed": b"2", b"missing": b"1"}


@pytest.mark.parametrize("text", ["./DIW_test/a.thumb\n", "1,2,3,4,>,3,2\n./DIW_test/a.thumb\n", b"\xff\xfe,"])
def test_a_list_that_is_not_lines_in_twos_is_told(put, tmp_path: Path, text) -> None:
    put("DIW_test.csv", text)
    with pytest.raises(UsageError, match="list"):
        Reader().list(tmp_path, RECIPE, "test")


def test_half_of_the_example_pairs_say_nothing_by_their_height(read, tmp_path: Path) -> None:
    """As the authors drew theirs: without these, "the lower one is nearer" would beat most networks."""
    Reader().write_example(tmp_path, RECIPE, scenes_for("diw", 40, seed=3))
    samples = read(tmp_path, "diw", "test").values()
    (first, second) = np.stack([sample.target.points[0] for sample in samples], axis=1)
    same_row = first[:, 1] == second[:, 1]
    widths = np.array([sample.image.shape[1] for sample in samples])
    assert (first[:, 0] + second[:, 0] == widths - 1)[same_row].all()
    assert 12 <= same_row.sum() <= 28
    lower_is_nearer = (first[:, 1] < second[:, 1]) == [bool(sample.target.farther[0]) for sample in samples]
    assert lower_is_nearer[~same_row].mean() > 0.7
