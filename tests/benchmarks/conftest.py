"""Ratios against a named baseline, measured in one run, alternating; no test here asserts a time."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator

import pytest

Rows = list[tuple[str, str, float, float, float]]


@pytest.fixture(scope="session")
def _rows(request: pytest.FixtureRequest) -> Iterator[Rows]:
    rows: Rows = []
    yield rows
    print(f"\n\n{'what':<44}{'baseline':<40}{'ours':>10}{'theirs':>10}{'ratio':>8}{'CPU':>8}")
    for what, baseline, ours, theirs, cpu in rows:
        print(f"{what:<44}{baseline:<40}{ours * 1e3:>8.1f}ms{theirs * 1e3:>8.1f}ms{theirs / ours:>8.2f}{cpu:>8.2f}")
    print("ratio: the baseline's median time over ours; above 1 is faster than the baseline; CPU: the same of CPU time")


@pytest.fixture
def compare(_rows: Rows) -> Callable[..., float]:
    """Time two callables alternately; returns and prints baseline / ours of the medians."""

    def measure(
        what: str, ours: Callable[[], object], baseline: str, theirs: Callable[[], object], rounds: int = 7
    ) -> float:
        times: tuple[list[float], list[float]] = ([], [])
        cpu_times: tuple[list[float], list[float]] = ([], [])
        ours(), theirs()
        for _ in range(rounds):
            for place, call in enumerate((ours, theirs)):
                start, cpu_start = time.perf_counter(), time.process_time()
                call()
                times[place].append(time.perf_counter() - start)
                cpu_times[place].append(time.process_time() - cpu_start)
        medians = [statistics.median(series) for series in times]
        cpu = [max(statistics.median(series), 1e-9) for series in cpu_times]
        _rows.append((what, baseline, medians[0], medians[1], cpu[1] / cpu[0]))
        return medians[1] / medians[0]

    return measure
