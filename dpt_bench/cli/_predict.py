"""Predicts images, folders and videos: reads ahead, predicts in batches, writes behind, resumes."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np
import typer
from numpy.typing import NDArray

from dpt_bench.cli._precision import parse_precision
from dpt_bench.cli._predict_inputs import Reading, Source, find_sources, read_ahead
from dpt_bench.cli._predict_outputs import Outputs
from dpt_bench.cli._progress import progress
from dpt_bench.cli.predict import KINDS
from dpt_bench.core.errors import DptBenchError, SampleError, UnknownNameError
from dpt_bench.core.progress import Progress
from dpt_bench.predictors import Predictor, Query, load_predictor
from dpt_bench.predictors._contract import PredictorOptions
from dpt_bench.resize import resize_prediction
from dpt_bench.stereo.video import every_frame

_THREADS = 2


@dataclass(frozen=True)
class PredictCall:
    """The command line of `dpt-bench predict`."""

    model: str
    inputs: tuple[Path, ...]
    out: Path
    write: str
    every: int
    variant: str | None
    device: str
    precision: str
    batch_size: int
    force: bool


def run_predict(call: PredictCall) -> None:
    """Predict everything; at the end say how fast, and fail if an image failed."""
    names = [name.strip() for name in call.write.split(",")]
    wanted = [kind for kind in KINDS if kind in names]
    for name in names:
        if name not in KINDS:
            raise UnknownNameError("output", name, KINDS)
    precision = parse_precision(call.precision)
    sources = find_sources(call.inputs, call.out)
    options = PredictorOptions(call.device, precision, call.batch_size, call.variant)
    predictor = load_predictor(call.model, options)
    outputs = Outputs(call.out, wanted, predictor.kind, predictor.name, predictor.checkpoint_sha256)
    outputs.claim(force=call.force)
    with progress() as shown, ThreadPoolExecutor(_THREADS, thread_name_prefix="files") as pool:
        work = Work(predictor, outputs, call, pool, shown)
        work.run(sources)
    typer.echo(work.summary())
    if work.n_failed:
        total = work.n_failed + work.n_done + work.n_there
        raise DptBenchError(
            f"{work.n_failed} of {total} images or videos were not predicted; a line above tells why of each",
            fix="mend or leave them out, and run the same command again: what is done is kept",
        )


@dataclass
class Work:
    """One run. n_there: images whose files an earlier run wrote."""

    predictor: Predictor
    outputs: Outputs
    call: PredictCall
    pool: ThreadPoolExecutor
    progress: Progress
    n_done: int = 0
    n_there: int = 0
    n_failed: int = 0
    _started: float = field(default_factory=time.monotonic)
    _writing: list[tuple[str, Future[None]]] = field(default_factory=list)

    def run(self, sources: Sequence[Source]) -> None:
        """Pictures first, then one video after another."""
        pictures = [one for one in sources if not one.is_video and not self._is_there(one.name)]
        if pictures:
            self._run_task("pictures", read_ahead(pictures, self.pool), len(pictures))
        for source in sources:
            if source.is_video:
                self._run_task(source.path.name, self._frames(source), None)

    def summary(self) -> str:
        """One line for the end."""
        seconds = time.monotonic() - self._started
        there = f"; {self.n_there} were there" if self.n_there else ""
        speed = f" in {seconds:.1f} s, {self._rate()}" if self.n_done else ""
        return f"{self.outputs.folder}: {self.n_done} images{speed}{there}"

    def _run_task(self, task: str, readings: Iterator[Reading], total: int | None) -> None:
        self.progress.start(task, total)
        for batch in _chunks(readings, self.call.batch_size):
            for reading in batch:
                if reading.image is None:
                    self._fail(reading.problem)
            self._predict([one for one in batch if one.image is not None])
            self.progress.advance(task, len(batch), note=self._rate())
        self._finish_writing()
        self.progress.finish(task)

    def _frames(self, video: Source) -> Iterator[Reading]:
        try:
            for number, image in every_frame(video.path, self.call.every):
                name = f"{video.name}/{number:06}"
                if not self._is_there(name):
                    yield Reading(name, image)
        except SampleError as error:
            yield Reading(video.name, None, f"{video.path}: {error.what}")

    def _predict(self, batch: Sequence[Reading]) -> None:
        if not batch:
            return
        queries = [Query(one.image, key=one.name) for one in batch if one.image is not None]
        try:
            predictions = self.predictor.predict(queries, None)
        except SampleError as error:
            if len(batch) == 1:
                self._fail(f"{batch[0].name}: {error.what}")
            else:
                for one in batch:  # one image must not take its batch along
                    self._predict([one])
            return
        self._finish_writing()
        for query, prediction in zip(queries, predictions, strict=True):
            size = (query.image.shape[0], query.image.shape[1])
            self._write(query.key, resize_prediction(prediction.values, size, "bicubic"))

    def _write(self, name: str, values: NDArray[np.float32] | NDArray[np.float64]) -> None:
        n_bad = values.size - int(np.count_nonzero(np.isfinite(values)))
        if n_bad:
            self._fail(f"{name}: {n_bad} of {values.size} predicted numbers are not finite, nothing is written")
            return
        self._writing.append((name, self.pool.submit(self.outputs.write, name, values.astype(np.float32, copy=False))))

    def _finish_writing(self) -> None:
        writing, self._writing = self._writing, []
        for name, future in writing:
            try:
                future.result()
            except OSError as error:
                raise DptBenchError(
                    f"the files of {name} cannot be written: {error.strerror or error}",
                    where=self.outputs.folder,
                    fix="make room or choose another folder, and run the same command again",
                ) from error
            self.n_done += 1

    def _is_there(self, name: str) -> bool:
        there = not self.call.force and self.outputs.exist(name)
        self.n_there += there
        return there

    def _fail(self, line: str) -> None:
        self.n_failed += 1
        self.progress.message(f"error: {' '.join(line.split())}")

    def _rate(self) -> str:
        done = self.n_done + len(self._writing)
        return f"{done / max(time.monotonic() - self._started, 1e-9):.2f} images/s"


def _chunks(readings: Iterable[Reading], size: int) -> Iterator[list[Reading]]:
    left = iter(readings)
    while batch := list(islice(left, size)):
        yield batch
