"""A run on a Ray cluster: one actor a process; when one is lost, all start again from the newest checkpoint."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dpt_bench.core.errors import DptBenchError, UsageError
from dpt_bench.core.processes import settle_local_ray
from dpt_bench.core.progress import SILENT, Progress
from dpt_bench.training.checkpoints import CheckpointFolder
from dpt_bench.training.config import Preset
from dpt_bench.training.ray_rank import Call, Mailbox, Place, Rank, replay, send_signal
from dpt_bench.training.report import TrainReport
from dpt_bench.training.signals import StopWish, stop_wish
from dpt_bench.training.trainer import resolve

MOST_FAILURES = 3
"""Losses of processes without a new checkpoint between them, after which the run is given up."""
_GRACE_S = 30.0
"""A process that loses its peer may say so before Ray knows of the loss."""
_PATIENCE_S = 60.0


class ProcessLostError(Exception):
    """A process died or its node did: the work of the others is worth going on with."""


@dataclass(frozen=True)
class RayOptions:
    """processes: None for one a GPU of the cluster, or one where it has none. cpus: of each."""

    processes: int | None = None
    cpus: float = 1.0


def train_on_ray(
    preset: Preset | str | Path,
    shards: str | Path,
    out: str | Path,
    *,
    options: RayOptions | None = None,
    overrides: dict[str, Any] | None = None,
    resume: bool = False,
    progress: Progress = SILENT,
) -> TrainReport:
    """`train` in several processes of the cluster that is connected, that RAY_ADDRESS names, or of this machine.

    `shards` and `out` must be reached under the same name from every node. A process that is lost costs the steps since
    the newest checkpoint; an error of the run itself ends it. SIGTERM and SIGUSR1 to this process reach the run.

    Raises:
        UsageError, DataError, DptBenchError: as `train`; and when processes are lost again and again.
    """
    import ray
    import ray.util.scheduling_strategies

    chosen, folder = options or RayOptions(), Path(out).resolve()
    resolved = resolve(preset, overrides or {})
    place = shards if "://" in str(shards) else Path(shards).resolve()
    with _cluster(ray, chosen), stop_wish() as wish:
        gang = _Gang(ray, resolved, chosen, progress)
        failures, newest = 0, _newest(folder)
        while True:
            try:
                return gang.run(Call(resolved, str(place), str(folder), resume=resume), wish)
            except ProcessLostError as error:
                failures = 1 if _newest(folder) != newest else failures + 1
                newest, resume = _newest(folder), True
                if failures > MOST_FAILURES:
                    raise DptBenchError(
                        f"processes were lost {failures} times without a new checkpoint; the last: {error}",
                        where=folder,
                        fix="look into Ray's logs (out of memory?), then go on with --resume",
                    ) from error
                progress.message(f"WARNING: a process was lost ({error}): starting again from the newest checkpoint")


class _Gang:
    """Starts as many actors as there are ranks, waits for them, and ends them together."""

    def __init__(self, ray: Any, preset: Preset, options: RayOptions, progress: Progress) -> None:
        gpus = int(ray.cluster_resources().get("GPU", 0)) if preset.device != "cpu" else 0
        if preset.device == "cuda" and not gpus:
            raise UsageError("a GPU is wanted, but the Ray cluster has none", where="device = 'cuda'")
        self._ray, self._progress = ray, progress
        self._size = options.processes or max(1, gpus)
        self._listens = False
        self._bundle = {"CPU": options.cpus, **({"GPU": 1.0} if gpus else {})}
        here = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(
            ray.get_runtime_context().get_node_id(), soft=False
        )
        self._mailbox = ray.remote(num_cpus=0)(Mailbox).options(scheduling_strategy=here).remote()

    def run(self, call: Call, wish: StopWish) -> TrainReport:
        """Rank 0's report.

        Raises:
            ProcessLostError: an actor or its node died.
        """
        group = self._reserved(wish)
        strategy = self._ray.util.scheduling_strategies.PlacementGroupSchedulingStrategy
        kind = self._ray.remote(num_cpus=self._bundle["CPU"], num_gpus=self._bundle.get("GPU", 0), max_restarts=0)(Rank)
        actors = [
            kind.options(scheduling_strategy=strategy(group, placement_group_bundle_index=rank)).remote()
            for rank in range(self._size)
        ]
        try:
            places = [self._got(actor.place.remote()) for actor in actors]
            host, port = places[0].host, self._got(actors[0].free_port.remote())
            running = {
                actor.train.remote(call, rank, self._size, (host, port), self._mailbox if rank == 0 else None): rank
                for rank, actor in enumerate(actors)
            }
            return self._reports(running, places[0], wish)[0]
        finally:
            for actor in actors:
                self._ray.kill(actor)
            self._ray.util.remove_placement_group(group)
            self._replay()

    def _reports(self, running: dict[Any, int], first: Place, wish: StopWish) -> dict[int, TrainReport]:
        reports: dict[int, TrainReport] = {}
        told = self._listens = False
        while len(reports) < self._size:
            waiting = [reference for reference, rank in running.items() if rank not in reports]
            done, others = self._ray.wait(waiting, timeout=0.5)
            self._replay()
            if wish.signal is not None and self._listens and not told:
                told = True
                send_signal(self._ray, first)
            for reference in done:
                reports[running[reference]] = self._got(reference, others)
        return reports

    def _got(self, reference: Any, others: list[Any] | None = None) -> Any:
        """What a call returned; `others` are the calls that run beside it."""
        errors = self._ray.exceptions
        try:
            return self._ray.get(reference)
        except errors.RayTaskError as error:
            if not isinstance(error.cause, DptBenchError) and self._lost_one(others or []):
                raise ProcessLostError("its peer ended with it") from error
            if isinstance(error.cause, DptBenchError):
                raise error.cause from None
            raise
        except errors.RayError as error:
            raise ProcessLostError(type(error).__name__) from error

    def _lost_one(self, references: list[Any]) -> bool:
        """Whether Ray finds within a while that one of these calls lost its process."""
        until = time.monotonic() + _GRACE_S
        while references and time.monotonic() < until:
            done, references = self._ray.wait(references, timeout=max(0.0, until - time.monotonic()))
            for reference in done:
                try:
                    self._ray.get(reference)
                except self._ray.exceptions.RayTaskError:
                    continue
                except self._ray.exceptions.RayError:
                    return True
        return False

    def _reserved(self, wish: StopWish) -> Any:
        """Room for all ranks at once, so that none waits for the others within a collective."""
        group = self._ray.util.placement_group([self._bundle] * self._size, strategy="PACK")
        ready, asked = group.ready(), time.monotonic()
        while not self._ray.wait([ready], timeout=1.0)[0]:
            if wish.signal is not None:
                raise KeyboardInterrupt
            if time.monotonic() - asked > _PATIENCE_S:
                asked, free = time.monotonic(), self._ray.available_resources()
                self._progress.message(
                    f"waiting for {self._size} x {self._bundle} of the cluster; free: "
                    f"{free.get('CPU', 0):.0f} CPUs, {free.get('GPU', 0):.0f} GPUs"
                )
        return group

    def _replay(self) -> None:
        letters = self._ray.get(self._mailbox.take.remote())
        self._listens = self._listens or bool(letters)  # a signal before the run has begun would end its process
        replay(letters, self._progress)


def _newest(folder: Path) -> Path | None:
    return next(iter(CheckpointFolder(folder, 1).newest_first()), None)


@contextmanager
def _cluster(ray: Any, options: RayOptions) -> Iterator[None]:
    """The cluster that is connected or that RAY_ADDRESS names; else one of this machine, left at the end."""
    if ray.is_initialized():
        yield
        return
    settle_local_ray()
    if os.environ.get("RAY_ADDRESS"):
        ray.init(log_to_driver=False)
    else:
        cores = max(os.cpu_count() or 1, int((options.processes or 1) * options.cpus))
        ray.init(address="local", num_cpus=cores, include_dashboard=False, log_to_driver=False)
    try:
        yield
    finally:
        ray.shutdown()
