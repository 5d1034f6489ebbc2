"""The columns of a board: which metric on which dataset, in whose order, and how a value of it is printed."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from dpt_bench.core.recipe import Recipe
from dpt_bench.leaderboard.sources import SuiteSources
from dpt_bench.results import SummaryRow
from dpt_bench.results.published import PublishedRow


@dataclass(frozen=True)
class Column:
    """One metric on one dataset.

    heading: how the dataset is written. first: the suite's first metric of the dataset, which makes the short table.
    num_images, keys_sha256: the published image list, None where not stated.
    decimals: of a measured value in `unit`; as many as were published.
    """

    dataset: str
    metric: str
    heading: str
    metric_title: str
    unit: str
    higher_is_better: bool
    num_images: int | None
    keys_sha256: str | None
    decimals: int
    first: bool

    @property
    def name(self) -> str:
        """In the wide CSV: the recipe's name, with the metric's behind it unless it is the first."""
        return self.dataset if self.first else f"{self.dataset}_{self.metric}"

    @property
    def printed_unit(self) -> str:
        """Fractions are printed in percent."""
        return "%" if self.unit == "fraction" else self.unit

    @property
    def arrow(self) -> str:
        return "↑" if self.higher_is_better else "↓"

    def show(self, value: float | Decimal) -> str:
        """The value in `printed_unit`; a published number keeps the digits that were printed."""
        decimals = _digits(value) if isinstance(value, Decimal) else self.decimals
        scale, fewer = (100, 2) if self.unit == "fraction" else (1, 0)
        return f"{value * scale:.{max(decimals - fewer, 0)}f}"


def build_columns(sources: SuiteSources, *, every_metric: bool) -> tuple[Column, ...]:
    """Columns for which there is a number.

    Several datasets have a column each, for the first metric, unless `every_metric`; a single one has all its metrics.
    """
    metrics = _metrics_by_dataset(sources)
    every_metric = every_metric or len(metrics) == 1
    return tuple(
        _column(sources, dataset, metric, first=metric == names[0])
        for dataset, names in metrics.items()
        for metric in (names if every_metric else names[:1])
    )


def _metrics_by_dataset(sources: SuiteSources) -> dict[str, list[str]]:
    """Datasets in the published table's order, metrics in the suite's."""
    entries = sources.suite.datasets if sources.suite else ()
    prescribed = [(entry.recipe, metric) for entry in entries for metric in entry.metrics]
    measured = [(row.dataset, row.metric) for row in sorted(sources.measured, key=lambda row: not row.on_board)]
    published = [(row.dataset, row.metric) for row in sources.published]
    present = {*measured, *published}
    found: dict[str, list[str]] = {dataset: [] for dataset, _ in (*published, *prescribed, *measured)}
    for dataset, metric in dict.fromkeys((*prescribed, *measured, *published)):
        if (dataset, metric) in present:
            found[dataset].append(metric)
    return {dataset: metrics for dataset, metrics in found.items() if metrics}


def _column(sources: SuiteSources, dataset: str, metric: str, *, first: bool) -> Column:
    published = [row for row in sources.published if (row.dataset, row.metric) == (dataset, metric)]
    measured = [row for row in sources.measured if (row.dataset, row.metric) == (dataset, metric)]
    described: list[SummaryRow | PublishedRow] = [*measured, *published]
    entries = sources.suite.datasets if sources.suite else ()
    recipe = sources.recipes.get(dataset)
    split = next((recipe.splits.get(entry.split) for entry in entries if recipe and entry.recipe == dataset), None)
    facts = sources.metrics.get(metric)
    return Column(
        dataset=dataset,
        metric=metric,
        heading=_heading(dataset, recipe),
        metric_title=facts.title if facts else metric.replace("_", " "),
        unit=described[0].unit,
        higher_is_better=described[0].better == "higher",
        num_images=split.images
        if split and split.images
        else next((row.num_images for row in published if row.num_images), None),
        keys_sha256=split.keys_sha256
        if split
        else next((row.keys_sha256 for row in measured if row.label == "complete"), None),
        decimals=max((_digits(row.value) for row in published), default=4 if described[0].unit == "fraction" else 3),
        first=first,
    )


def _heading(dataset: str, recipe: Recipe | None) -> str:
    """The dataset's name with its capitals, where the recipe's title has them: "sintel" is "MPI Sintel"."""
    words = recipe.title.replace(",", " ").replace(":", " ").split() if recipe else []
    return next((word for word in words if word.lower() == dataset), dataset)


def _digits(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int), "published values are finite"
    return max(-exponent, 0)
