"""One run shared by several processes, devices or a Ray cluster: each takes a part of the images into one folder."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, get_args

from dpt_bench.core.errors import UnknownNameError, UsageError
from dpt_bench.core.processes import settle_local_ray
from dpt_bench.core.progress import SILENT, Progress
from dpt_bench.core.toml import Strict
from dpt_bench.evaluation.options import EvaluationOptions, EvaluationReport, Part
from dpt_bench.evaluation.run import count_finished, evaluate, evaluate_part, prepare
from dpt_bench.predictors import load_predictor
from dpt_bench.predictors._contract import PredictorOptions
from dpt_bench.predictors._declared import split_declarations

Executor = Literal["serial", "processes", "ray"]
_POLL_S = 0.5
_PATIENCE_S = 10.0


class PartJob(Strict):
    """What a worker needs to know, as names and absolute paths."""

    models: tuple[str, ...]
    loading: PredictorOptions
    suite: str
    data: str
    out: str
    options: EvaluationOptions

    def run(self) -> int:
        """Load the predictors and work off the part; returns how many results are new."""
        predictors = [load_predictor(spec, self.loading) for spec in self.models]
        return evaluate_part(predictors, self.suite, self.data, self.out, options=self.options)


@dataclass(frozen=True)
class SharedRun:
    """A call of `evaluate` by names, so that other processes can repeat it.

    devices: each worker gets one of them, in turn. workers: how many; by default one a device, on Ray one for each GPU
    of the cluster, or each CPU where the device is cpu. Data, `out` and the checkpoints must have the same paths on all
    nodes of a cluster.
    """

    models: tuple[str, ...]
    suite: str
    data: str
    out: Path
    executor: str = "serial"
    devices: tuple[str, ...] = ("cpu",)
    workers: int | None = None
    loading: PredictorOptions = field(default_factory=PredictorOptions)
    options: EvaluationOptions = field(default_factory=EvaluationOptions)


def evaluate_shared(run: SharedRun, *, progress: Progress = SILENT) -> EvaluationReport:
    """Evaluate with workers, then finish here: what a lost worker left open, the tables, the pictures.

    The rows are those of a run by one process.

    Raises:
        UsageError: an unknown executor, more devices or workers than it has, and whatever `evaluate` refuses, before a
            worker is started.
        DataError: as `evaluate`.
    """
    if run.executor not in get_args(Executor):
        raise UnknownNameError("executor", run.executor, get_args(Executor))
    if not run.devices:
        raise UsageError("no device was given", fix="give cpu, cuda or cuda:0,cuda:1")
    if run.executor == "serial" and (len(run.devices) > 1 or (run.workers or 1) > 1):
        raise UsageError(
            "the executor serial has one worker and one device", fix="choose processes or ray, or leave it out"
        )
    loading = replace(run.loading, device=run.devices[0])
    predictors = [load_predictor(spec, loading) for spec in run.models]
    if run.executor == "serial":
        return evaluate(predictors, run.suite, run.data, run.out, options=run.options, progress=progress)
    plan, store = prepare(predictors, run.suite, run.data, run.out, options=run.options)  # what is wrong is said once
    n_resumed = count_finished(plan, store.finished())
    with _counting(store.journals, progress):
        share = _in_processes if run.executor == "processes" else _on_ray
        for problem in share(run):
            progress.message(f"{problem}; what it left open is done here")
    report = evaluate(predictors, run.suite, run.data, run.out, options=run.options, progress=progress)
    return replace(report, n_new=report.n_new + report.n_resumed - n_resumed, n_resumed=n_resumed)


def _jobs(run: SharedRun, count: int) -> list[PartJob]:
    return [
        PartJob(
            models=tuple(map(_absolute_model, run.models)),
            loading=replace(run.loading, device=run.devices[index % len(run.devices)]),
            suite=_absolute(run.suite),
            data=str(Path(run.data).resolve()),
            out=str(run.out.resolve()),
            options=replace(
                run.options,
                part=Part(index=index, count=count),
                cache=run.options.cache.resolve() if run.options.cache else None,
            ),
        )
        for index in range(count)
    ]


def _in_processes(run: SharedRun) -> Iterator[str]:
    """What went wrong with each worker that was lost, once all have ended."""
    jobs = _jobs(run, run.workers or len(run.devices))
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    threads = str(max(1, cores // len(jobs)))
    limits = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), threads)
    environment = {**os.environ, **limits, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    children = []
    try:
        for job in jobs:
            child = subprocess.Popen(
                [sys.executable, "-m", "dpt_bench.evaluation.worker"], stdin=subprocess.PIPE, env=environment
            )
            children.append(child)
            assert child.stdin is not None
            with suppress(BrokenPipeError), child.stdin as pipe:  # it has died: its status will tell
                pipe.write(job.model_dump_json().encode())
        for child in children:
            if status := child.wait():
                yield f"a worker ended with status {status}"
    finally:
        for child in children:
            child.terminate()
        for child in children:
            try:
                child.wait(_PATIENCE_S)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def _on_ray(run: SharedRun) -> Iterator[str]:
    """As `_in_processes`, on the cluster that is connected or that RAY_ADDRESS names, else on this machine's cores."""
    import ray

    connected = ray.is_initialized()
    if not connected:
        settle_local_ray()
        address = None if os.environ.get("RAY_ADDRESS") else "local"
        ray.init(address=address, include_dashboard=False, log_to_driver=False)
    on_gpu = run.devices[0].startswith("cuda")
    resources: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    count = run.workers or max(1, int(resources.get("GPU" if on_gpu else "CPU", 1)))
    task = ray.remote(max_retries=1, num_cpus=0 if on_gpu else 1, num_gpus=1 if on_gpu else 0)(_run_job)
    references = [task.remote(job.model_dump_json()) for job in _jobs(run, count)]
    try:
        for reference in references:
            try:
                ray.get(reference)
            except ray.exceptions.RayError as error:
                yield f"Ray lost a worker: {type(error).__name__}: {str(error).splitlines()[-1]}"
    finally:
        for reference in references:
            ray.cancel(reference, force=True)
        if not connected:
            ray.shutdown()


def _run_job(job: str) -> int:
    return PartJob.model_validate_json(job).run()


def _absolute(name_or_path: str) -> str:
    return str(Path(name_or_path).resolve()) if Path(name_or_path).is_file() else name_or_path


def _absolute_model(spec: str) -> str:
    """A spec that means the same in another folder, as workers of a cluster start there."""
    rest, _ = split_declarations(spec)
    prefix, colon, argument = ("", "", rest) if Path(rest).exists() else rest.partition(":")
    names_a_path = bool(argument) and Path(argument).exists() and prefix != "baseline"
    return f"{prefix}{colon}{Path(argument).resolve()}{spec[len(rest) :]}" if names_a_path else spec


@contextmanager
def _counting(journals: Path, progress: Progress) -> Iterator[None]:
    """Shows how many results all workers have journalled, by the bytes that their journals grow."""
    task, done, sizes = "results of all workers", threading.Event(), dict[Path, int]()

    def count() -> int:
        lines = 0
        for path in journals.glob("*.jsonl"):
            with path.open("rb") as file:
                file.seek(sizes.get(path, 0))
                data = file.read()
            sizes[path] = sizes.get(path, 0) + len(data)
            lines += data.count(b"\n")
        return lines

    def watch() -> None:
        while not done.wait(_POLL_S):
            progress.advance(task, count())

    count()  # what earlier runs have left
    progress.start(task, None)
    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
        progress.finish(task)
