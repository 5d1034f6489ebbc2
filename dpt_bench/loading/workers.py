"""Worker processes behind a loader: torch's DataLoader over whole batches."""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Generator, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.context import BaseContext
from queue import Empty, Queue

import cv2
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from dpt_bench.core.errors import DataError, DptBenchError
from dpt_bench.core.processes import leave_with_parent
from dpt_bench.loading.batch import PackedBatch

Item = PackedBatch | DptBenchError
"""What a worker hands over: an error is raised in the caller."""
NICENESS = 5
"""Of workers: where cores are few, who takes a batch goes before those who prepare later ones."""
_DEATHS = ("exited unexpectedly", "is killed by signal")
"""How torch says that a worker is gone."""
_PATIENCE_S = 10.0


@dataclass(frozen=True)
class WorkerOptions:
    """Who prepares the batches.

    count: processes; 0 prepares them in the caller's own. prefetch: batches each prepares ahead.
    pin_memory: for copies to a GPU that do not wait.
    """

    count: int = 0
    prefetch: int = 4
    pin_memory: bool = False


def batches(steps: IterableDataset[Item], options: WorkerOptions) -> Iterator[PackedBatch]:
    """The items of `steps` in their order, errors raised; workers end with the iterator.

    Raises:
        DptBenchError: what a worker could not do.
        DataError: a worker died.
    """
    with warnings.catch_warnings():  # how many processes suit the machine is the caller's business
        warnings.filterwarnings("ignore", "This DataLoader will create")
        stream = _started(steps, options)
    in_a_thread = options.count and not options.pin_memory  # torch has a thread of its own where it pins
    received = _received_ahead(stream) if in_a_thread else (item for item in stream)
    with closing(received):
        try:
            for item in received:
                if isinstance(item, DptBenchError):
                    raise item
                yield item
        except RuntimeError as error:
            if not any(words in str(error) for words in _DEATHS):
                raise
            fix = "give the run more memory or fewer data.workers, then go on with --resume"
            raise DataError(f"a loader process died: {error}", fix=fix) from error


def _received_ahead(stream: Iterator[Item]) -> Generator[Item]:
    """The items of a stream, which a thread receives while the caller works on those before.

    To take over a batch from another process needs milliseconds, of which most are spent waiting for that process.
    """
    received: Queue[Item | Exception | None] = Queue(1)
    left = threading.Event()

    def receive() -> None:
        try:
            for item in stream:
                received.put(item)
                if left.is_set():
                    return
            received.put(None)
        except Exception as error:  # noqa: BLE001  (raised again where the items are taken)
            received.put(error)

    thread = threading.Thread(target=receive, name="receives batches", daemon=True)
    thread.start()
    try:
        while (item := received.get()) is not None:
            if isinstance(item, Exception):
                raise item
            yield item
    finally:
        left.set()
        with suppress(Empty):
            received.get_nowait()  # so that the thread can put what it holds, and end
        if thread is not threading.current_thread():
            thread.join(_PATIENCE_S)


def _started(steps: IterableDataset[Item], options: WorkerOptions) -> Iterator[Item]:
    return iter(
        DataLoader(
            steps,
            batch_size=None,
            num_workers=options.count,
            prefetch_factor=options.prefetch if options.count else None,
            pin_memory=options.pin_memory,
            multiprocessing_context=_context() if options.count else None,
            worker_init_fn=_settle if options.count else None,
        )
    )


def share_of_worker() -> tuple[int, int]:
    """(number of this worker, how many there are); (0, 1) outside a worker."""
    info = get_worker_info()
    return (0, 1) if info is None else (info.id, info.num_workers)


def _settle(_worker: int) -> None:
    os.nice(NICENESS)
    cv2.setNumThreads(1)  # one process a core; threads of each would only get in one another's way
    leave_with_parent()


def _context() -> BaseContext:
    # A forked copy of a process that has used OpenCV's thread pool hangs in its first cv2 call, and a spawned one
    # imports torch for seconds; the fork server imports it once, before there are threads.
    context = get_context("forkserver")
    context.set_forkserver_preload(["dpt_bench.loading.loader"])
    return context
