"""The evaluation loop: read once, predict with every model, score, journal each image as it finishes, tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dpt_bench.core.errors import SampleError
from dpt_bench.core.progress import SILENT, Progress
from dpt_bench.core.sample import DepthMap
from dpt_bench.core.suite import Suite
from dpt_bench.evaluation.cache import CachedPredictor, PredictionCache, cached
from dpt_bench.evaluation.gallery import write_galleries
from dpt_bench.evaluation.options import EvaluationOptions, EvaluationReport
from dpt_bench.evaluation.plan import DatasetPlan, Plan, make_plan
from dpt_bench.evaluation.reading import Readable, Row, Unreadable, batches, read_ahead
from dpt_bench.predictors import Prediction, Predictor, Query
from dpt_bench.results import Cell, ImageResult, ResultStore, Score
from dpt_bench.results.journal import Journal
from dpt_bench.results.schema import CellId
from dpt_bench.scoring import Scored, score, score_pairs

DEFAULTS = EvaluationOptions()


def evaluate(
    predictors: Predictor | Sequence[Predictor],
    suite: str | Path | Suite = "midas",
    data: str | Path = "eval",
    out: str | Path = "results",
    *,
    options: EvaluationOptions = DEFAULTS,
    progress: Progress = SILENT,
) -> EvaluationReport:
    """Evaluate predictors on a suite: result rows, their means with intervals, tables and pictures.

    Every finished image is journalled at once, so that a later call with the same arguments goes on where this one was
    stopped. Images that cannot be read, predicted or scored are rows with a reason.

    Args:
        predictors: one or several, of `load_predictor` or of your own (the protocol `Predictor`).
        suite: a name, the path of a TOML, or a Suite.
        data: the folder of the datasets; <data>/<recipe name>/ holds one as its owners ship it. Absent ones are left
            out and named in the report.
        out: the results folder: results.parquet, summary.csv, leaderboard.csv, gallery/.
        options: which datasets and images, batches, threads, cache, pictures.
        progress: told of every image.

    Raises:
        UsageError: before anything is written, where the call cannot work; see `make_plan`.
        DataError: `out` holds damaged results.
    """
    plan, store = prepare(predictors, suite, data, out, options=options)
    for name, root in plan.absent.items():
        progress.message(f"{name} is not evaluated: no folder {root}")
    for dataset in plan.datasets:
        if dataset.protocol != plan.suite.datasets[dataset.cells[0].position]:
            progress.message(f"{dataset.recipe.name} is the sample world: crops take their share of its smaller images")
    models = _behind_cache(plan.predictors, options, progress)
    new, resumed = _work_off(plan, models, store, options, progress)
    rows = store.compact()
    write_galleries(store, plan.datasets, models, options.panels, progress)
    cells = {cell.id for dataset in plan.datasets for cell in dataset.cells}
    return EvaluationReport(
        suite=plan.suite.name,
        suite_version=plan.suite.version,
        evaluated=tuple(dataset.recipe.name for dataset in plan.datasets),
        absent=plan.absent,
        missing=plan.suite.missing,
        n_new=new,
        n_resumed=resumed,
        n_cached=sum(model.n_found for model in models if isinstance(model, CachedPredictor)),
        summary=tuple(row for row in rows if row.cell in cells),
        results=store.folder,
        summary_csv=store.summary_csv,
        leaderboard_csv=store.leaderboard_csv,
    )


def prepare(
    predictors: Predictor | Sequence[Predictor],
    suite: str | Path | Suite,
    data: str | Path,
    out: str | Path,
    *,
    options: EvaluationOptions = DEFAULTS,
) -> tuple[Plan, ResultStore]:
    """Everything that can be refused, before the first image: the plan, and `out` with its cells declared.

    Raises:
        UsageError, DataError: as `evaluate`.
    """
    models = list(predictors) if isinstance(predictors, Sequence) else [predictors]
    plan = make_plan(models, suite, Path(data), options)
    store = ResultStore(Path(out))
    store.create()
    for dataset in plan.datasets:
        for cell in dataset.cells:
            store.declare(cell)
    return plan, store


def evaluate_part(
    predictors: Sequence[Predictor], suite: str, data: str, out: str, *, options: EvaluationOptions
) -> int:
    """Journal the results of a part of the images (`options.part`), without tables; returns how many are new.

    Raises:
        UsageError, DataError: as `evaluate`.
    """
    plan, store = prepare(predictors, suite, data, out, options=options)
    return _work_off(plan, _behind_cache(predictors, options, SILENT), store, options, SILENT)[0]


def _work_off(
    plan: Plan, models: Sequence[Predictor], store: ResultStore, options: EvaluationOptions, progress: Progress
) -> tuple[int, int]:
    """Results written now, and results found finished."""
    finished = store.finished()
    new = 0
    with store.journal() as journal:
        for dataset in plan.datasets:
            work = _Work(dataset, models, journal, options, finished)
            new += work.run(f"{plan.suite.name}: {dataset.recipe.name}", progress)
    return new, count_finished(plan, finished)


def count_finished(plan: Plan, finished: Mapping[CellId, set[str]]) -> int:
    """How many of the plan's results, over all models, are among the finished ones of a store."""
    return sum(
        len(finished.get(cell.id, set()).intersection(dataset.items["key"].to_pylist()))
        for dataset in plan.datasets
        for cell in dataset.cells
    )


def _behind_cache(models: Sequence[Predictor], options: EvaluationOptions, progress: Progress) -> list[Predictor]:
    if options.cache is None:
        return list(models)
    cache = PredictionCache(options.cache, options.cache_bytes, options.predictor_settings)
    for model in models:
        if model.checkpoint_sha256 is None:
            progress.message(f"predictions of {model.name} are not cached: no checksum tells its weights from others")
    return [cached(model, cache) for model in models]


@dataclass
class _Work:
    """One dataset with all models: every image is read once, and predicted by the models that have no result for it."""

    dataset: DatasetPlan
    models: Sequence[Predictor]
    journal: Journal
    options: EvaluationOptions
    finished: dict[CellId, set[str]]
    done: int = field(default=0, init=False)

    def run(self, task: str, progress: Progress) -> int:
        """Work off what is open; returns the number of results written."""
        progress.start(task, sum(bool(self._open_cells(key)) for key in self.dataset.items["key"].to_pylist()))

        def report(item: Unreadable) -> None:
            for cell in self._open_cells(item.key):
                self._write(cell, item.key, Scored(skipped=item.reason, message=item.message), None)
            progress.advance(task, note=f"{item.key}: {item.reason}")

        items = read_ahead(self.dataset, self._open_rows(), self.options.threads)
        for batch in batches(items, self.options.batch_size, report):
            for cell, model in zip(self.dataset.cells, self.models, strict=True):
                self._evaluate(cell, model, [one for one in batch if one.sample.key not in self._finished(cell)])
            progress.advance(task, len(batch))
        progress.finish(task)
        return self.done

    def _evaluate(self, cell: Cell, model: Predictor, batch: Sequence[Readable]) -> None:
        for one, prediction in zip(batch, self._predict(model, batch), strict=True):
            if isinstance(prediction, SampleError):
                scored = Scored(skipped=prediction.reason, message=str(prediction))
                self._write(cell, one.sample.key, scored, None)
            else:
                self._write(cell, one.sample.key, self._score(one, prediction, model), prediction)

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

    def _score(self, one: Readable, prediction: Prediction, model: Predictor) -> Scored:
        protocol = self.dataset.protocol
        try:
            if isinstance(one.target, DepthMap):
                return score(one.target, prediction.values, model.kind, protocol)
            height, width = one.sample.image.shape[:2]
            return score_pairs(one.target, prediction.values, model.kind, (height, width), protocol)
        except SampleError as error:
            return Scored(skipped=error.reason, message=str(error))

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
