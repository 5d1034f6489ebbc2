"""Memory that is used again: within a thread alone, and not for large arrays."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from dpt_bench.core.scratch import scratch


def test_a_thread_gets_its_own_memory_again() -> None:
    first = scratch("a", 1000)
    assert (first.shape, first.dtype) == ((1000,), np.float64)
    assert np.shares_memory(first, scratch("a", 10))
    assert not np.shares_memory(first, scratch("b", 1000))
    assert not np.shares_memory(first, scratch("a", 1000, np.bool_))
    with ThreadPoolExecutor(1) as pool:
        assert not np.shares_memory(first, pool.submit(scratch, "a", 1000).result())
    assert scratch("a", 2000).size == 2000


def test_a_large_image_leaves_nothing_behind() -> None:
    count = (1 << 20) + 1
    assert not np.shares_memory(scratch("large", count), scratch("large", count))
