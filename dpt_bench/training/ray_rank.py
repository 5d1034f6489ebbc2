"""What runs on the nodes of a Ray cluster: one rank of a run, and the mailbox through which it tells its progress."""

from __future__ import annotations

import os
import signal
import socket
import time
from dataclasses import dataclass
from typing import Any

from dpt_bench.core.progress import SILENT, Progress
from dpt_bench.training.config import Preset
from dpt_bench.training.report import TrainReport
from dpt_bench.training.trainer import train

SECONDS_BETWEEN_LETTERS = 0.5
Letter = tuple[str, tuple[Any, ...]]


@dataclass(frozen=True)
class Call:
    """What every rank is asked to do; see `train`."""

    preset: Preset
    shards: str
    out: str
    resume: bool


@dataclass(frozen=True)
class Place:
    """Where a rank is."""

    host: str
    node: str
    process: int


class Rank:
    """An actor that is one process of a run; its methods run in the main thread, which signals reach."""

    def place(self) -> Place:
        import ray

        host: str = ray.util.get_node_ip_address()  # type: ignore[no-untyped-call, unused-ignore]
        return Place(host, ray.get_runtime_context().get_node_id(), os.getpid())

    def free_port(self) -> int:
        """Of this node, for the meeting of all ranks."""
        with socket.create_server(("", 0)) as server:
            return int(server.getsockname()[1])

    def train(self, call: Call, rank: int, size: int, meeting: tuple[str, int], mailbox: Any) -> TrainReport:
        """Ray shows every actor its own GPU alone, so that the local rank is always 0."""
        host, port = meeting
        os.environ |= {"RANK": str(rank), "WORLD_SIZE": str(size), "LOCAL_RANK": "0"}
        os.environ |= {"MASTER_ADDR": host, "MASTER_PORT": str(port)}
        progress = SILENT if mailbox is None else Posting(mailbox)
        return train(call.preset, call.shards, call.out, resume=call.resume, progress=progress)


class Mailbox:
    """An actor that keeps letters until they are taken."""

    def __init__(self) -> None:
        self._letters: list[Letter] = []

    def post(self, letters: list[Letter]) -> None:
        self._letters += letters

    def take(self) -> list[Letter]:
        letters, self._letters = self._letters, []
        return letters


class Posting:
    """A Progress that writes letters; steps are gathered for a moment, so that fast ones do not flood the cluster."""

    def __init__(self, mailbox: Any) -> None:
        self._mailbox = mailbox
        self._steps: dict[str, tuple[int, str, float | None]] = {}
        self._sent = time.monotonic()

    def start(self, task: str, total: int | None = None) -> None:
        self._send(("start", (task, total)))

    def advance(self, task: str, steps: int = 1, note: str = "", seconds_left: float | None = None) -> None:
        self._steps[task] = (self._steps.get(task, (0, "", None))[0] + steps, note, seconds_left)
        if time.monotonic() - self._sent > SECONDS_BETWEEN_LETTERS:
            self._send()

    def finish(self, task: str) -> None:
        self._send(("finish", (task,)))

    def message(self, text: str) -> None:
        self._send(("message", (text,)))

    def _send(self, *letters: Letter) -> None:
        gathered: list[Letter] = [("advance", (task, *done)) for task, done in self._steps.items()]
        self._steps, self._sent = {}, time.monotonic()
        self._mailbox.post.remote([*gathered, *letters])


def replay(letters: list[Letter], progress: Progress) -> None:
    """Tell a progress what a `Posting` was told."""
    for name, arguments in letters:
        getattr(progress, name)(*arguments)


def send_signal(ray: Any, place: Place) -> None:
    """SIGUSR1 to a process of the cluster, from its own node."""
    there = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(place.node, soft=True)
    ray.remote(num_cpus=0)(_signal).options(scheduling_strategy=there).remote(place.process)


def _signal(process: int) -> None:
    os.kill(process, signal.SIGUSR1)
