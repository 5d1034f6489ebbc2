from __future__ import annotations

import threading

import pytest

from dpt_bench.core.parallel import in_order, threads_for


@pytest.mark.parametrize("threads", [1, 2, 3, 7])
@pytest.mark.parametrize("starts", [range(0), range(0, 5, 5), range(0, 100, 7), range(12)])
def test_results_come_in_order_whoever_made_them(threads, starts) -> None:
    assert in_order(lambda start: -start, starts, threads) == [-start for start in starts]


def test_threads_share_the_work() -> None:
    met = threading.Barrier(2)
    in_order(lambda start: met.wait(10), range(2), 2)  # one thread alone would wait in vain


def test_an_error_reaches_the_caller() -> None:
    with pytest.raises(ZeroDivisionError):
        in_order(lambda start: 1 // (start - 3), range(4), 2)


def test_small_arrays_stay_in_their_thread() -> None:
    assert threads_for(480 * 640) == 1
    assert 1 <= threads_for(4032 * 6048) <= 4
