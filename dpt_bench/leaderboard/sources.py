"""What a board is made of: summaries of results folders, published rows, and facts of suite, recipes and metrics."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from dpt_bench.core.catalog import RECIPES, SUITES, plugin_names
from dpt_bench.core.errors import UsageError
from dpt_bench.core.recipe import Recipe
from dpt_bench.core.suite import Suite
from dpt_bench.metrics import AnyMetric, load_metric
from dpt_bench.results import SummaryRow, read_summary
from dpt_bench.results.published import PublishedRow, load_published, published_suites


@dataclass(frozen=True)
class SuiteSources:
    """All that is known under one name and version of a suite.

    suite: its protocol, None where the catalog has no suite of this name and version. recipes, metrics: those of its
    datasets and metrics that exist, by name.
    """

    name: str
    version: int
    suite: Suite | None
    recipes: dict[str, Recipe]
    metrics: dict[str, AnyMetric]
    measured: tuple[SummaryRow, ...]
    published: tuple[PublishedRow, ...]


def gather(folders: Iterable[Path], *, from_memory: bool = False, suites: Sequence[str] = ()) -> list[SuiteSources]:
    """Sources of every suite that the folders hold results of, then of `suites` besides; each by name and version.

    Published rows join results of the same suite and version only; those "from memory" where asked for.

    Raises:
        UsageError: a folder holds no results, two folders disagree on one number, or nothing is known of a suite.
        DataError: a summary is damaged.
    """
    measured = _merge(folders)
    published = {name: load_published(name) for name in published_suites()}
    evaluated = {(row.suite, row.suite_version) for row in measured}
    wanted = set(evaluated)
    for name in suites:
        versions = {row.suite_version for row in published.get(name, ())}
        if not versions:
            raise UsageError(
                f"nothing was published or measured under suite {name!r}", fix=f"known: {', '.join(published)}"
            )
        wanted |= {(name, version) for version in versions}
    return [
        _sources(
            name,
            version,
            tuple(row for row in measured if (row.suite, row.suite_version) == (name, version)),
            tuple(
                row
                for row in published.get(name, ())
                if row.suite_version == version and (from_memory or row.status == "verified")
            ),
        )
        for name, version in sorted(wanted, key=lambda suite: (suite not in evaluated, suite))
    ]


def _merge(folders: Iterable[Path]) -> list[SummaryRow]:
    kept: dict[tuple[object, ...], tuple[SummaryRow, Path]] = {}
    for folder in folders:
        for row in read_summary(folder):
            name = (row.suite, row.suite_version, row.model, row.checkpoint_sha256, row.dataset, row.metric)
            known, first = kept.setdefault(name, (row, folder))
            if known != row:
                raise UsageError(
                    f"two results folders hold different numbers of {row.model} on {row.dataset} ({row.metric})",
                    where=f"{first} and {folder}",
                    fix="give one of the two",
                )
    return [row for row, _ in kept.values()]


def _sources(
    name: str, version: int, measured: tuple[SummaryRow, ...], published: tuple[PublishedRow, ...]
) -> SuiteSources:
    suite = SUITES.load(name) if name in SUITES.names() else None
    suite = suite if suite and suite.version == version else None
    rows: tuple[SummaryRow | PublishedRow, ...] = (*measured, *published)
    datasets = {row.dataset for row in rows} | {entry.recipe for entry in (suite.datasets if suite else ())}
    metrics = {row.metric for row in rows} | {
        metric for entry in (suite.datasets if suite else ()) for metric in entry.metrics
    }
    return SuiteSources(
        name=name,
        version=version,
        suite=suite,
        recipes={dataset: RECIPES.load(dataset) for dataset in sorted(datasets & set(RECIPES.names()))},
        metrics={metric: load_metric(metric) for metric in sorted(metrics & set(plugin_names("dpt_bench.metrics")))},
        measured=measured,
        published=published,
    )
