"""A results folder: resumed, shared, compacted, refused."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest

from dpt_bench.core.errors import DataError, UsageError
from dpt_bench.results import ResultStore, read_results
from dpt_bench.results.schema import Cell, to_table


def filled(folder: Path, cell: Cell, results) -> ResultStore:
    store = ResultStore(folder)
    store.create()
    store.declare(cell)
    with store.journal() as journal:
        for result in results:
            journal.append(result)
    return store


def test_finished_keys_belong_to_their_cell(tmp_path: Path, make_cell, make_result) -> None:
    cell = make_cell()
    store = filled(tmp_path, cell, [make_result(cell, "a"), make_result(cell, "b")])
    assert store.finished() == {cell.id: {"a", "b"}}
    for change in (
        {"checkpoint_sha256": "00" * 32},
        {"model": "other"},
        {"suite_version": 2},
        {"suite": "mine"},
        {"dataset": "nyu"},
    ):
        assert make_cell(**change).id not in store.finished()


def test_an_image_that_never_reached_the_network_is_tried_again(tmp_path: Path, make_cell, make_result) -> None:
    cell = make_cell()
    unread = make_result(cell, "unread", None, skipped="corrupt-file", input_height=None, input_width=None)
    failed = make_result(cell, "failed", None, skipped="non-finite-prediction")
    assert filled(tmp_path, cell, [unread, failed]).finished() == {cell.id: {"failed"}}


def test_a_scored_result_replaces_a_skipped_one_whatever_came_first(tmp_path: Path, make_cell, make_result) -> None:
    cell = make_cell()
    skipped, scored = make_result(cell, "a", None, skipped="corrupt-file"), make_result(cell, "a", 0.5)
    for order in ([skipped, scored], [scored, skipped]):
        store = filled(tmp_path / str(order[0].skipped), cell, order)
        assert to_table(store.results()).equals(to_table([scored]))
        assert store.compact()[0].n_skipped == 0


def test_compacting_twice_or_after_a_resume_gives_the_same_bytes(tmp_path: Path, make_cell, make_result) -> None:
    cell = make_cell()
    results = [make_result(cell, f"{index:03}", index / 10) for index in range(20)]
    whole = filled(tmp_path / "whole", cell, results)
    parts = filled(tmp_path / "parts", cell, reversed(results[:7]))
    parts.compact()
    filled(tmp_path / "parts", cell, results[5:])
    whole.compact()
    parts.compact()
    names = ("results.parquet", "summary.csv", "leaderboard.csv")
    first = [(whole.folder / name).read_bytes() for name in names]
    assert [(parts.folder / name).read_bytes() for name in names] == first
    whole.compact()
    assert [(whole.folder / name).read_bytes() for name in names] == first


def test_the_parquet_alone_is_record_enough(tmp_path: Path, make_cell, make_result) -> None:
    cell = make_cell()
    store = filled(tmp_path, cell, [make_result(cell, "a"), make_result(cell, "b")])
    store.compact()
    for journal in (tmp_path / "journal").iterdir():
        journal.unlink()
    before = read_results(tmp_path)
    store.compact()
    assert read_results(tmp_path).equals(before)
    assert store.finished() == {cell.id: {"a", "b"}}


def test_old_results_of_other_settings_are_refused(tmp_path: Path, make_cell, make_result) -> None:
    cell = make_cell()
    store = filled(tmp_path, cell, [make_result(cell, "a")])
    store.declare(make_cell(package_version="0.2.0"))
    with pytest.raises(UsageError, match=r"other settings: suite\.cap_m from 80\.0 to 70\.0"):
        store.declare(make_cell(settings={"suite.cap_m": "70.0"}))


def test_a_damaged_parquet_or_cell_is_named(tmp_path: Path, make_cell, make_result) -> None:
    cell = make_cell()
    store = filled(tmp_path, cell, [make_result(cell, "a")])
    store.compact()
    store.parquet.write_bytes(store.parquet.read_bytes()[:100])
    with pytest.raises(DataError, match=r"results\.parquet"):
        store.results()
    store.parquet.unlink()
    assert len(store.results()) == 1
    next((tmp_path / "cells").glob("*.json")).write_text("{")
    with pytest.raises(DataError, match="damaged"):
        store.cells()


def test_a_folder_without_results(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no results here"):
        read_results(tmp_path)


def test_a_file_in_the_place_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("")
    with pytest.raises(UsageError, match="cannot be written"):
        ResultStore(tmp_path / "results").create()


def _fill(folder: Path, cell_json: str, result_json: str, start: int) -> None:
    from dpt_bench.results import ImageResult

    cell, result = Cell.model_validate_json(cell_json), ImageResult.model_validate_json(result_json)
    keys = [f"{index:03}" for index in range(start, start + 60)]
    store = filled(folder, cell, [result.model_copy(update={"key": key}) for key in keys])
    store.compact()


def test_two_processes_in_one_folder_do_not_corrupt_it(tmp_path: Path, make_cell, make_result) -> None:
    cell = make_cell()
    arguments = (cell.model_dump_json(), make_result(cell, "x").model_dump_json())
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_fill, args=(tmp_path, *arguments, start)) for start in (0, 40)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    ResultStore(tmp_path).compact()
    assert read_results(tmp_path).num_rows == 100 * len(cell.metrics)
