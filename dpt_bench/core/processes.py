"""Worker processes end with the process that started them, however that one ends."""

from __future__ import annotations

import os
import threading
from multiprocessing import parent_process


def leave_with_parent() -> None:
    """In a child process of multiprocessing: exit as soon as its parent is gone, killed without a word too.

    Such a child would wait for work for ever; torch's own watch looks at the number of the process that forked it,
    which under a fork server is another one and outlives a killed run.
    """
    threading.Thread(target=_wait_and_leave, daemon=True).start()


def _wait_and_leave() -> None:
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
