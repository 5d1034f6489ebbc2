from __future__ import annotations

import os
import signal
import threading

import pytest

from dpt_bench.training.signals import stop_wish


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_a_signal_is_a_wish_and_handlers_come_back(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with stop_wish() as wish:
        assert wish.signal is None
        os.kill(os.getpid(), number)
        assert wish.signal == number.name
    assert signal.getsignal(number) == before


def test_other_threads_wish_nothing() -> None:
    found = []

    def body() -> None:
        with stop_wish() as wish:
            found.append(wish.signal)

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    assert found == [None]
