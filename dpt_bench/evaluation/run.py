"""An evaluation from its arguments to its tables: plan, work off each dataset, compact, galleries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from dpt_bench.core.progress import SILENT, Progress
from dpt_bench.core.suite import Suite
from dpt_bench.evaluation.cache import CachedPredictor, PredictionCache, cached
from dpt_bench.evaluation.gallery import write_galleries
from dpt_bench.evaluation.options import EvaluationOptions, EvaluationReport
from dpt_bench.evaluation.plan import Plan, make_plan
from dpt_bench.evaluation.work import Work
from dpt_bench.predictors import Predictor
from dpt_bench.results import ResultStore
from dpt_bench.results.schema import CellId

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
            work = Work(dataset, models, journal, options, finished)
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
