"""Numpy work on one large array by several threads, with the results of one: numpy frees the interpreter's lock."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TypeVar

_LARGE = 1 << 21  # numbers from which on a few threads are worth their start
_MOST = 4

Result = TypeVar("Result")


def threads_for(count: int) -> int:
    """How many threads an array of `count` numbers is worth: one, but for large ones."""
    if count <= _LARGE:
        return 1
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(_MOST, cores)


def in_order(work: Callable[[int], Result], starts: range, threads: int) -> list[Result]:
    """[work(start) for start in starts], each thread at one stretch of them.

    What is summed in this order does not depend on the number of threads.
    """
    if threads == 1 or len(starts) < threads:
        return [work(start) for start in starts]
    bounds = [len(starts) * place // threads for place in range(threads + 1)]
    stretches = [starts[first:last] for first, last in pairwise(bounds)]
    with ThreadPoolExecutor(threads - 1) as pool:
        others = [pool.submit(lambda stretch: [work(start) for start in stretch], one) for one in stretches[1:]]
        found = [work(start) for start in stretches[0]]
        for other in others:
            found += other.result()
    return found
