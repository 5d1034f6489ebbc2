"""Where jobs run: in this process, in worker processes, or on a Ray cluster; one contract, and the only home of ray."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable
from typing import Any, Literal, get_args

from dpt_bench.conversion.processes import run_in_processes
from dpt_bench.conversion.shard_job import ShardJob, ShardReport, failed, run_job
from dpt_bench.core.errors import DataError, UnknownNameError
from dpt_bench.core.processes import settle_local_ray

Executor = Literal["serial", "processes", "ray"]

_RAY_RETRIES = 3
_WAITING_PER_CPU = 2
"""Tasks submitted beyond those that run: enough to keep cores busy and an autoscaler interested."""


def run(jobs: Iterable[ShardJob], executor: str, workers: int | None = None) -> Generator[ShardReport]:
    """Reports of all jobs, each as it is done; at most a small multiple of `workers` jobs is drawn ahead of them.

    workers: processes or CPUs; by default all cores, or all of the cluster. A worker that dies is replaced and its job
    repeated a few times, after which the job's report carries the error. Closing the iterator ends all work.

    Raises:
        UnknownNameError: no such executor.
    """
    check_executor(executor)
    if executor == "serial":
        return (run_job(job) for job in jobs)
    if executor == "processes":
        return run_in_processes(jobs, workers or num_cores())
    return _run_on_ray(jobs, workers)


def check_executor(executor: str) -> None:
    """Pass where the name is one of `Executor`.

    Raises:
        UnknownNameError: it is not.
    """
    if executor not in get_args(Executor):
        raise UnknownNameError("executor", executor, get_args(Executor))


def num_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _run_on_ray(jobs: Iterable[ShardJob], workers: int | None) -> Generator[ShardReport]:
    import ray

    leave = _connect(ray, workers)
    task = ray.remote(num_cpus=1, max_retries=_RAY_RETRIES)(run_job)
    running: dict[Any, ShardJob] = {}
    remaining = iter(jobs)
    try:
        while True:
            # asked anew each time: a cluster grows while it works
            window = workers or _window(ray)
            while len(running) < window and (job := next(remaining, None)) is not None:
                running[task.remote(job)] = job
            if not running:
                return
            done, _ = ray.wait(list(running), num_returns=1)
            for reference in done:
                yield _ray_report(ray, reference, running.pop(reference))
    finally:
        for reference in running:
            ray.cancel(reference, force=True)
        if leave:
            ray.shutdown()


def _window(ray: Any) -> int:
    return max(1, _WAITING_PER_CPU * int(ray.cluster_resources().get("CPU", 1)))


def _connect(ray: Any, workers: int | None) -> bool:
    """Use the cluster that is connected or that RAY_ADDRESS names, else start one; True where it is ours to leave."""
    if ray.is_initialized():
        return False
    if os.environ.get("RAY_ADDRESS"):
        ray.init(log_to_driver=False)
        return True
    settle_local_ray()
    ray.init(address="local", num_cpus=workers or num_cores(), include_dashboard=False, log_to_driver=False)
    return True


def _ray_report(ray: Any, reference: Any, job: ShardJob) -> ShardReport:
    try:
        report: ShardReport = ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        raise error.as_instanceof_cause() from None
    except ray.exceptions.RayError as error:  # the worker, its node or its memory was lost, more often than Ray retries
        fix = "look into Ray's logs (out of memory? give it fewer CPUs), then run the same build again"
        what = f"Ray lost the job {_RAY_RETRIES + 1} times: {type(error).__name__}"
        return failed(job, DataError(what, where=job.place, fix=fix), fatal=False)
    return report
