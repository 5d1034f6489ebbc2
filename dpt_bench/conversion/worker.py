"""A worker of the `processes` executor: `python -m dpt_bench.conversion.worker FD`."""

from __future__ import annotations

import signal
import sys
from multiprocessing.connection import Connection

from dpt_bench.conversion.shard_job import run_job


def main() -> None:
    """Answer every job from the inherited socket with its report, until the driver is gone.

    What only a bug raises ends the process.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the driver ends its workers itself
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # by way of an exception: temporary files are removed
    connection = Connection(int(sys.argv[1]))
    while True:
        try:
            job = connection.recv()
        except EOFError:  # the driver has closed its end, or was killed
            return
        connection.send(run_job(job))


if __name__ == "__main__":
    main()
