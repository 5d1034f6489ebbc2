"""Batches that come from other processes: received ahead, and nothing is left behind, however it ends."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch.utils.data import IterableDataset

from dpt_bench.core.errors import DataError
from dpt_bench.loading import PackedBatch, WorkerOptions
from dpt_bench.loading.batch import pack
from dpt_bench.loading.workers import Item, _received_ahead, batches


def batch(number: int) -> PackedBatch:
    memory = pack(np.full((1, 2, 2, 3), number, np.uint8), np.full((1, 2, 2), number, np.uint16))
    return PackedBatch(memory, (2, 2), np.zeros((1, 2), np.float32), np.zeros(1, np.int64), ("a",), (str(number),))


class Numbered(IterableDataset[Item]):
    """Batches 0 to 9; at `deadly` the process is killed. A batch's dataset number is the niceness of its process."""

    def __init__(self, deadly: int | None = None) -> None:
        self.deadly = deadly

    def __iter__(self) -> Iterator[Item]:
        for number in range(10):
            if number == self.deadly:
                time.sleep(0.5)  # the queue is written by a thread
                os.kill(os.getpid(), signal.SIGKILL)
            made = batch(number)
            made.dataset[:] = os.nice(0)
            yield made


def threads() -> set[str]:
    return {thread.name for thread in threading.enumerate()}


def test_they_come_in_order_from_a_process_that_stands_back() -> None:
    found = list(batches(Numbered(), WorkerOptions(1)))
    assert [one.keys for one in found] == [(str(number),) for number in range(10)]
    assert [int(one.images[0, 0, 0, 0]) for one in found] == list(range(10))
    assert {int(one.dataset[0]) for one in found} == {min(os.nice(0) + 5, 19)}


def test_a_killed_process_is_an_error_that_says_so() -> None:
    stream = batches(Numbered(deadly=2), WorkerOptions(1))
    with pytest.raises(DataError, match="a loader process died"):
        list(stream)
    assert "receives batches" not in threads()


def test_the_next_batch_is_received_while_the_last_is_used() -> None:
    asked = [threading.Event() for _ in range(10)]

    def source() -> Iterator[Item]:
        for number, event in enumerate(asked):
            event.set()
            yield batch(number)

    stream = _received_ahead(source())
    next(stream)
    assert asked[1].wait(10)
    assert asked[2].wait(10)
    assert not asked[5].wait(0.2), "but not all of them"
    stream.close()
    assert "receives batches" not in threads()


def test_what_goes_wrong_on_the_way_is_raised_to_the_caller() -> None:
    def source() -> Iterator[Item]:
        yield batch(0)
        raise OSError("the pipe is gone")

    stream = _received_ahead(source())
    assert next(stream).keys == ("0",)  # type: ignore[union-attr]
    with pytest.raises(OSError, match="the pipe is gone"):
        next(stream)


def test_whoever_leaves_early_leaves_no_process_behind() -> None:
    stream = batches(Numbered(), WorkerOptions(2))
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    assert "receives batches" not in threads()
    deadline = time.monotonic() + 30
    while torch.multiprocessing.active_children() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not torch.multiprocessing.active_children()
