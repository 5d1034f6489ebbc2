"""Storage hiccups: what is worth a second try, and what is not."""

from __future__ import annotations

import time
from collections.abc import Callable, Set
from typing import TypeVar

PAUSES_S = (0.2, 1.0, 3.0)
"""Waits between tries: network file systems and object stores recover within seconds or not at all."""

Value = TypeVar("Value")


def retrying(work: Callable[[], Value], *, hopeless: Set[int | None]) -> Value:
    """The result of `work`, tried again after an OSError unless its errno is among the hopeless.

    Raises:
        OSError: of the last try.
    """
    for pause in PAUSES_S:
        try:
            return work()
        except OSError as error:
            if error.errno in hopeless:
                raise
            time.sleep(pause)
    return work()
