"""Ratios against a named baseline, measured in one run, alternating; no test here asserts a time."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator

import pytest

Rows = list[tuple[str, str, float, float]]


@pytest.fixture(scope="session")
def _rows(request: pytest.FixtureRequest) -> Iterator[Rows]:
    rows: Rows = []
    yield rows
    print(f"\n\n{'what':<44}{'baseline':<40}{'ours':>10}{'theirs':>10}{'ratio':>8}")
    for what, baseline, ours, theirs in rows:
        print(f"{what:<44}{baseline:<40}{ours * 1e3:>8.1f}ms{theirs * 1e3:>8.1f}ms{theirs / ours:>8.2f}")
    print("ratio: the baseline's median time over ours; above 1 is faster than the baseline")


@pytest.fixture
def compare(_rows: Rows) -> Callable[..., float]:
    """Time two callables alternately; returns and prints baseline / ours of the medians."""

    def measure(
        what: str, ours: Callable[[], object], baseline: str, theirs: Callable[[], object], rounds: int = 7
    ) -> float:
        times: tuple[list[float], list[float]] = ([], [])
        ours(), theirs()
        for _ in range(rounds):
            for place, call in enumerate((ours, theirs)):
                start = time.perf_counter()
                call()
                times[place].append(time.perf_counter() - start)
        medians = [statistics.median(series) for series in times]
        _rows.append((what, baseline, medians[0], medians[1]))
        return medians[1] / medians[0]

    return measure
