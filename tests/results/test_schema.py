"""Rows of results.parquet."""

from __future__ import annotations

import random

from dpt_bench.results import RESULT_SCHEMA
from dpt_bench.results.schema import file_stem, from_table, to_table


def test_one_row_an_image_and_metric_with_every_column_of_the_design(make_cell, make_result) -> None:
    cell = make_cell()
    table = to_table([make_result(cell, "b"), make_result(cell, "a", flags=("negative-scale",))])
    assert table.schema == RESULT_SCHEMA
    assert table["key"].to_pylist() == ["a", "a", "b", "b"]
    assert table["metric"].to_pylist() == ["absrel", "delta_above_1_25"] * 2
    assert table["unit"].to_pylist() == ["fraction"] * 4
    assert table["flags"].to_pylist() == [["negative-scale"]] * 2 + [[]] * 2


def test_rows_do_not_depend_on_the_order_in_which_images_finished(make_cell, make_result) -> None:
    cells = [make_cell(), make_cell(dataset="nyu"), make_cell(checkpoint_sha256=None, model="baseline:ramp")]
    results = [make_result(cell, f"k{index}", index / 7) for cell in cells for index in range(9)]
    shuffled = random.Random(0).sample(results, len(results))
    assert to_table(shuffled).equals(to_table(results))


def test_a_table_gives_its_results_back(make_cell, make_result) -> None:
    cell = make_cell()
    results = [
        make_result(cell, "a", 0.1 + 0.2),
        make_result(cell, "b", None, skipped="no-valid-pixel", message="nothing", scale=None, shift=None),
    ]
    back = {result.key: result for result in from_table(to_table(results))}
    for result in results:
        scores = {score.metric: score.value for score in back[result.key].scores}
        assert scores == {score.metric: score.value for score in result.scores}
        assert back[result.key].model_dump(exclude={"scores"}) == result.model_dump(exclude={"scores"})


def test_an_empty_table_has_the_schema() -> None:
    assert to_table([]).schema == RESULT_SCHEMA


def test_file_stems_are_safe_and_distinct() -> None:
    hostile = ["../../etc", "a/b", "a:b", "<script>", "ü", "x" * 300, "", "a b", "con\n"]
    stems = [file_stem("kitti", name, unique=name) for name in hostile]
    assert len(set(stems)) == len(hostile)
    for stem in stems:
        assert len(stem) < 200
        assert all(letter.isascii() and (letter.isalnum() or letter == "-") for letter in stem)
