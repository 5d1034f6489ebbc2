from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dpt_bench.core.errors import UsageError
from dpt_bench.leaderboard.sources import gather
from dpt_bench.results.published import load_published


def test_results_meet_published_rows_of_the_same_suite_and_version(
    tmp_path: Path, write_results: Callable[..., Path]
) -> None:
    (entry,) = gather([write_results(tmp_path, {"A": {"kitti": 0.1}})])
    assert (entry.name, entry.version) == ("midas", 1)
    assert {row.model for row in entry.measured} == {"A"}
    assert entry.published == load_published("midas")
    assert entry.suite is not None
    assert set(entry.recipes) >= {"kitti", "nyu", "tum"}


def test_another_version_meets_nothing(tmp_path: Path, write_results: Callable[..., Path]) -> None:
    folder = write_results(tmp_path, {"A": {"kitti": 0.1}})
    summary = folder / "summary.csv"
    summary.write_text(summary.read_text().replace(",midas,1,", ",midas,7,"))
    (entry,) = gather([folder])
    assert (entry.version, entry.published, entry.suite) == (7, (), None)


def test_a_suite_of_the_users_own_has_no_published_rows(tmp_path: Path, write_results: Callable[..., Path]) -> None:
    (entry,) = gather([write_results(tmp_path, {"A": {"kitti": 0.1}}, suite="my suite")])
    assert (entry.name, entry.published, entry.suite) == ("my suite", (), None)


def test_numbers_from_memory_only_where_asked_for() -> None:
    (shown,) = gather([], suites=["marigold"])
    (asked,) = gather([], suites=["marigold"], from_memory=True)
    assert {row.status for row in shown.published} == {"verified"}
    assert len(asked.published) > len(shown.published)


def test_several_folders_join_and_equal_rows_count_once(tmp_path: Path, write_results: Callable[..., Path]) -> None:
    first = write_results(tmp_path / "1", {"A": {"kitti": 0.1}})
    second = write_results(tmp_path / "2", {"A": {"kitti": 0.1}, "B": {"kitti": 0.2}})
    (entry,) = gather([first, second])
    assert sorted((row.model, row.metric) for row in entry.measured) == [
        (model, metric) for model in "AB" for metric in ("absrel", "delta_above_1_25")
    ]


def test_folders_that_disagree_are_refused(tmp_path: Path, write_results: Callable[..., Path]) -> None:
    first = write_results(tmp_path / "1", {"A": {"kitti": 0.1}})
    second = write_results(tmp_path / "2", {"A": {"kitti": 0.2}})
    with pytest.raises(UsageError, match="different numbers of A on kitti"):
        gather([first, second])


def test_folders_without_results_and_unknown_suites_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no results summary here"):
        gather([tmp_path])
    with pytest.raises(UsageError, match="'midsa'"):
        gather([], suites=["midsa"])
