"""What processes that we start need from us: an end when ours ends, and a fair share of the machine."""

from __future__ import annotations

import os
import threading
from multiprocessing import parent_process


def leave_with_parent() -> None:
    """In a child process of multiprocessing: exit as soon as its parent is gone, killed without a word too.

    Such a child would wait for work for ever; torch's own watch looks at the number of the process that forked it,
    which under a fork server is another one and outlives a killed run. It exits without cleaning up.
    """
    parent = parent_process()
    assert parent is not None, "this process was not started by multiprocessing"

    def wait_and_leave() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait_and_leave, daemon=True).start()


def settle_local_ray() -> None:
    """Set what a Ray cluster that we start on this machine is to have, unless the user has set it.

    Ray gives its workers a niceness of 15: 3 % of a core that anything else wants, other processes of ours included.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_worker_niceness", "0")
