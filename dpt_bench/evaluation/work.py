"""One dataset with all models: read once, predicted, scored, journalled image by image."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dpt_bench.core.errors import SampleError
from dpt_bench.core.kinds import DepthKind
from dpt_bench.core.progress import Progress
from dpt_bench.core.sample import DepthMap, OrdinalPairs
from dpt_bench.core.suite import SuiteDataset
from dpt_bench.evaluation.options import EvaluationOptions
from dpt_bench.evaluation.plan import DatasetPlan
from dpt_bench.evaluation.reading import Readable, Row, Unreadable, batches, read_ahead
from dpt_bench.predictors import Prediction, Predictor, Query
from dpt_bench.resize import Size
from dpt_bench.results import Cell, ImageResult, Score
from dpt_bench.results.journal import Journal
from dpt_bench.results.schema import CellId
from dpt_bench.scoring import Scored, score, score_pairs

Target = DepthMap | OrdinalPairs


@dataclass
class Work:
    """One dataset with all models: every image is read once, and predicted by the models that have no result for it.

    A batch is scored by threads while the next one is predicted, so that a GPU does not wait for the CPU.
    """

    dataset: DatasetPlan
    models: Sequence[Predictor]
    journal: Journal
    options: EvaluationOptions
    finished: dict[CellId, set[str]]
    done: int = field(default=0, init=False)
    _in_scoring: deque[tuple[Cell, str, Prediction, Future[Scored]]] = field(default_factory=deque, init=False)

    def run(self, task: str, progress: Progress) -> int:
        """Work off what is open; returns the number of results written."""
        progress.start(task, sum(bool(self._open_cells(key)) for key in self.dataset.items["key"].to_pylist()))

        def report(item: Unreadable) -> None:
            for cell in self._open_cells(item.key):
                self._write(cell, item.key, Scored(skipped=item.reason, message=item.message), None)
            progress.advance(task, note=f"{item.key}: {item.reason}")

        items = read_ahead(self.dataset, self._open_rows(), self.options.threads)
        with ThreadPoolExecutor(self.options.threads, thread_name_prefix="score") as scorers:
            try:
                for batch in batches(items, self.options.batch_size, report):
                    for cell, model in zip(self.dataset.cells, self.models, strict=True):
                        open_part = [one for one in batch if one.sample.key not in self._finished(cell)]
                        self._evaluate(cell, model, open_part, scorers)
                    progress.advance(task, len(batch))
            finally:  # whatever stops the run, what was predicted is not lost
                self._write_scored()
        progress.finish(task)
        return self.done

    def _evaluate(self, cell: Cell, model: Predictor, batch: Sequence[Readable], scorers: ThreadPoolExecutor) -> None:
        predictions = self._predict(model, batch)
        self._write_scored()  # the batch before
        for one, prediction in zip(batch, predictions, strict=True):
            if isinstance(prediction, SampleError):
                scored = Scored(skipped=prediction.reason, message=str(prediction))
                self._write(cell, one.sample.key, scored, None)
                continue
            height, width = one.sample.image.shape[:2]
            values = prediction.values.copy()  # a predictor of the user's may write the next one into the same memory
            future = scorers.submit(_score, one.target, (height, width), values, (model.kind, self.dataset.protocol))
            self._in_scoring.append((cell, one.sample.key, prediction, future))

    def _predict(self, model: Predictor, batch: Sequence[Readable]) -> Sequence[Prediction | SampleError]:
        queries = [
            Query(one.sample.image, self.dataset.recipe.name, one.sample.key, one.sample.camera) for one in batch
        ]
        if not queries:
            return []
        try:
            return model.predict(queries, self.dataset.protocol.resize)
        except SampleError as error:
            # One image must not take its batch along.
            return [error] if len(batch) == 1 else [self._predict(model, [one])[0] for one in batch]

    def _write_scored(self) -> None:
        while self._in_scoring:
            cell, key, prediction, future = self._in_scoring.popleft()
            self._write(cell, key, future.result(), prediction)

    def _write(self, cell: Cell, key: str, scored: Scored, prediction: Prediction | None) -> None:
        self.journal.append(_result(cell, self.dataset, key, scored, prediction))
        self.done += 1

    def _open_rows(self) -> Iterator[Row]:
        for batch in self.dataset.items.to_batches(max_chunksize=1024):
            yield from (row for row in batch.to_pylist() if self._open_cells(row["key"]))

    def _open_cells(self, key: str) -> list[Cell]:
        return [cell for cell in self.dataset.cells if key not in self._finished(cell)]

    def _finished(self, cell: Cell) -> set[str]:
        return self.finished.get(cell.id, set())


def _score(target: Target, size: Size, prediction: NDArray[np.floating], how: tuple[DepthKind, SuiteDataset]) -> Scored:
    """A prediction's score, or the reason why it has none; size: (height, width) of the image."""
    kind, protocol = how
    try:
        if isinstance(target, DepthMap):
            return score(target, prediction, kind, protocol)
        return score_pairs(target, prediction, kind, size, protocol)
    except SampleError as error:
        return Scored(skipped=error.reason, message=str(error))


def _result(cell: Cell, dataset: DatasetPlan, key: str, scored: Scored, prediction: Prediction | None) -> ImageResult:
    height, width = prediction.input_size if prediction else (None, None)
    return ImageResult(
        model=cell.model,
        checkpoint_sha256=cell.checkpoint_sha256,
        kind=cell.kind,
        suite=cell.suite,
        suite_version=cell.suite_version,
        dataset=cell.dataset,
        key=key,
        scores=tuple(
            Score(metric=metric.name, value=scored.values.get(metric.name), unit=metric.unit) for metric in cell.metrics
        ),
        input_height=height,
        input_width=width,
        resized_by=cell.resized_by,
        alignment_space=dataset.protocol.for_prediction(cell.kind).space,
        alignment=dataset.protocol.alignment,
        scale=scored.scale,
        shift=scored.shift,
        n_valid=scored.n_valid,
        flags=scored.flags,
        skipped=scored.skipped,
        message=scored.message,
    )
