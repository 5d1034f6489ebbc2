"""SIGTERM and SIGUSR1 as a wish to stop at the next step's end, which schedulers send before they take a machine."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGUSR1)


@dataclass
class StopWish:
    """signal: the name of the one that came, None until then."""

    signal: str | None = None


@contextmanager
def stop_wish() -> Iterator[StopWish]:
    """A wish that the signals fulfil while the context lasts; outside the main thread it never comes true."""
    wish = StopWish()
    if threading.current_thread() is not threading.main_thread():
        yield wish
        return

    def note(number: int, _frame: FrameType | None) -> None:
        wish.signal = signal.Signals(number).name

    before = {number: signal.signal(number, note) for number in SIGNALS}
    try:
        yield wish
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
