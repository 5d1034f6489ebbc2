"""Worker processes that may die: the job of a killed worker is given to a new one, a bounded number of times.

Workers are plain `python -m` children rather than multiprocessing's: they need no `__main__` guard in the caller's
script, their environment is set before numpy loads, and a dead one takes only its own job with it, which a
ProcessPoolExecutor cannot say.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections import Counter, deque
from collections.abc import Generator, Iterable
from contextlib import suppress
from multiprocessing.connection import Connection, wait

from dpt_bench.conversion.shard_job import ShardJob, ShardReport, failed
from dpt_bench.core.errors import DataError

MAX_TRIES = 3
_PATIENCE_S = 10.0
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class _Worker:
    """A child process, the connection to it, and the job it has."""

    def __init__(self) -> None:
        mine, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "dpt_bench.conversion.worker", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env={**os.environ, **_ONE_THREAD, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                stdin=subprocess.DEVNULL,
            )
        self.connection: Connection = Connection(mine.detach())
        self.job: ShardJob | None = None

    def give(self, job: ShardJob) -> None:
        self.job = job
        with suppress(ConnectionError):  # it has just died; waiting for its answer will tell
            self.connection.send(job)

    def answer(self) -> ShardReport | None:
        """The report of its job, None where it died instead."""
        try:
            report: ShardReport = self.connection.recv()
        except (EOFError, ConnectionError):
            return None
        self.job = None
        return report

    def end(self) -> int:
        """Ask the process to clean up and leave, kill it if it does not; its exit status."""
        self.connection.close()
        if self.job is not None:  # an idle worker leaves by itself when its connection is gone
            self.process.terminate()
        try:
            return self.process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


class _Queue:
    """Jobs not yet done: those not drawn yet, and those to repeat."""

    def __init__(self, jobs: Iterable[ShardJob]) -> None:
        self._new = iter(jobs)
        self._again: deque[ShardJob] = deque()
        self._tries: Counter[tuple[str, str]] = Counter()

    def draw(self) -> ShardJob | None:
        return self._again.popleft() if self._again else next(self._new, None)

    def died(self, job: ShardJob, status: int) -> ShardReport | None:
        """Line the job of a dead worker up again; its report where it has had its chances."""
        name = (job.dataset, job.shard)
        self._tries[name] += 1
        if status >= 0:  # it was not killed, it failed: it would fail again
            what = f"a worker process ended with exit status {status}; its own words are above"
            fix = "this is a bug of the package or of its installation; please report it with those words"
            return failed(job, DataError(what, where=job.place, fix=fix), fatal=True)
        if self._tries[name] < MAX_TRIES:
            self._again.append(job)
            return None
        what = f"{MAX_TRIES} worker processes were killed at this shard, the last one by {signal.Signals(-status).name}"
        fix = "if memory is short, use fewer workers; then run the same build again: it goes on where it stopped"
        return failed(job, DataError(what, where=job.place, fix=fix), fatal=False)


def run_in_processes(jobs: Iterable[ShardJob], workers: int) -> Generator[ShardReport]:
    """Reports in the order in which jobs are done; at most `workers` run at a time, none is drawn before it can run."""
    queue = _Queue(jobs)
    pool: list[_Worker] = []
    try:
        while busy := _fill(pool, queue, workers):
            ready = wait([worker.connection for worker in busy])
            for worker in [worker for worker in busy if worker.connection in ready]:
                report = _collect(worker, pool, queue)
                if report is not None:
                    yield report
    finally:
        for worker in pool:
            worker.end()


def _fill(pool: list[_Worker], queue: _Queue, workers: int) -> list[_Worker]:
    """Give a job to every idle worker, starting workers up to their number; those that are busy then."""
    while len(busy := [worker for worker in pool if worker.job is not None]) < workers:
        job = queue.draw()
        if job is None:
            break
        idle = next((worker for worker in pool if worker.job is None), None)
        if idle is None:
            idle = _Worker()
            pool.append(idle)
        idle.give(job)
    return busy


def _collect(worker: _Worker, pool: list[_Worker], queue: _Queue) -> ShardReport | None:
    job = worker.job
    assert job is not None, "only a busy worker has something to say"
    report = worker.answer()
    if report is None:
        pool.remove(worker)
        report = queue.died(job, worker.process.wait())
        worker.end()
    return report
