"""Ratios against a named baseline, measured in one run, alternating; no test here asserts a time."""

from __future__ import annotations

import os
import resource
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

Rows = list[tuple[str, str, float, float, float]]


@pytest.fixture(scope="session")
def _rows(request: pytest.FixtureRequest) -> Iterator[Rows]:
    rows: Rows = []
    yield rows
    print(f"\n\n{'what':<44}{'baseline':<40}{'ours':>10}{'theirs':>10}{'ratio':>8}{'CPU':>8}")
    for row in rows:
        print(_line(row))
    print("ratio: the baseline's median time over ours; above 1 is faster than the baseline")
    print("CPU: the same of the CPU time of this process and all below it, such as workers and Ray's own")


def _line(row: tuple[str, str, float, float, float]) -> str:
    what, baseline, ours, theirs, cpu = row
    return f"{what:<44}{baseline:<40}{ours * 1e3:>8.1f}ms{theirs * 1e3:>8.1f}ms{theirs / ours:>8.2f}{cpu:>8.2f}"


def _descendants() -> Iterator[tuple[int, list[str]]]:
    """(process id, what follows the name in its stat, man 5 proc) of all living processes below this one."""
    children: dict[int, list[tuple[int, list[str]]]] = defaultdict(list)
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
            facts = (folder / "stat").read_text().rpartition(") ")[2].split()
            children[int(facts[1])].append((int(folder.name), facts))
    parents = [os.getpid()]
    while parents:
        found = children[parents.pop()]
        yield from found
        parents += [process for process, _ in found]


@pytest.fixture
def descendants() -> Callable[[], Iterator[tuple[int, list[str]]]]:
    return _descendants


def _cpu_seconds() -> float:
    """CPU time so far of this process and of all below it, those that have ended included."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    ticks = sum(int(count) for _, facts in _descendants() for count in facts[11:15])
    return time.process_time() + ended.ru_utime + ended.ru_stime + ticks / os.sysconf("SC_CLK_TCK")


@pytest.fixture
def compare(_rows: Rows) -> Callable[..., float]:
    """Time two callables alternately; returns and prints baseline / ours of the medians.

    warm_up: what runs first, where both of them once would take too long.
    """

    def measure(
        what: str,
        ours: Callable[[], object],
        baseline: str,
        theirs: Callable[[], object],
        rounds: int = 7,
        warm_up: Callable[[], object] | None = None,
    ) -> float:
        times: tuple[list[float], list[float]] = ([], [])
        cpu_times: tuple[list[float], list[float]] = ([], [])
        if warm_up is None:
            ours(), theirs()
        else:
            warm_up()
        for _ in range(rounds):
            for place, call in enumerate((ours, theirs)):
                cpu_start, start = _cpu_seconds(), time.perf_counter()
                call()
                times[place].append(time.perf_counter() - start)
                cpu_times[place].append(_cpu_seconds() - cpu_start)
        medians = [statistics.median(series) for series in times]
        cpu = [max(statistics.median(series), 1e-9) for series in cpu_times]
        _rows.append((what, baseline, medians[0], medians[1], cpu[1] / cpu[0]))
        print(f"\n{_line(_rows[-1])}", end="")  # at once, for the table comes when all is done
        return medians[1] / medians[0]

    return measure
