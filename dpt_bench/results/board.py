"""leaderboard.csv: the paper's table, one row a model and one column a dataset, named by its recipe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from dpt_bench.results.atomic import write_atomically
from dpt_bench.results.statistics import improvement
from dpt_bench.results.summary import SummaryRow, csv_bytes

_MODEL_FACTS = ("model", "trained_on", "suite", "suite_version", "checkpoint_sha256", "package_version")
_FACTS = (
    "metric", "unit", "better", "label", "n_images", "n_skipped", "skips", "n_flagged", "flags", "ci_low", "ci_high",
    "trained_on_dataset", "keys_sha256",
)  # fmt: skip

ByDataset = Mapping[str, SummaryRow]


def write_board(path: Path, rows: Sequence[SummaryRow]) -> None:
    """Write the wide table of the rows that are on the board.

    Columns: model, one a dataset (the mean of the suite's first metric, a fraction where its unit says so), trained_on,
    improvement (a fraction too, over the model that improvement_over names: the suite's first one without a gap),
    suite, suite_version, checkpoint_sha256, package_version, and <dataset>_<fact> for what stands behind each mean;
    <dataset>_best marks the best of the same suite over the same images.
    """
    shown = [row for row in rows if row.on_board]
    datasets = list(dict.fromkeys(row.dataset for row in shown))
    models: dict[tuple[object, ...], dict[str, SummaryRow]] = {}
    for row in shown:
        models.setdefault((row.suite, row.suite_version, row.model, row.checkpoint_sha256), {})[row.dataset] = row
    suites: dict[tuple[object, ...], list[ByDataset]] = {}
    for place, by_dataset in models.items():
        suites.setdefault(place[:2], []).append(by_dataset)
    lines = [_line(by_dataset, suites[place[:2]]) for place, by_dataset in models.items()]
    columns = ["model", *datasets, "trained_on", "improvement", "improvement_over", *_MODEL_FACTS[2:]]
    columns += [f"{dataset}_{fact}" for dataset in datasets for fact in (*_FACTS, "best")]
    write_atomically(path, csv_bytes(columns, lines))


def _line(by_dataset: ByDataset, suite: Sequence[ByDataset]) -> dict[str, object]:
    """One model's line; `suite` holds all models of its suite and version, in order."""
    any_row = next(iter(by_dataset.values()))
    line: dict[str, object] = {name: getattr(any_row, name) for name in _MODEL_FACTS}
    for dataset, row in by_dataset.items():
        line[dataset] = row.mean
        line |= {f"{dataset}_{fact}": getattr(row, fact) for fact in _FACTS}
        line[f"{dataset}_best"] = row.mean is not None and row.mean == _best(row, suite)
    reference = _reference(suite)
    if reference is not None and _has_all(by_dataset, reference):
        errors, base = ({name: one[name].mean or 0.0 for name in reference} for one in (by_dataset, reference))
        line["improvement"] = improvement(errors, base)
        line["improvement_over"] = next(iter(reference.values())).model
    return line


def _best(row: SummaryRow, suite: Sequence[ByDataset]) -> float | None:
    same = [other[row.dataset] for other in suite if row.dataset in other]
    means = [other.mean for other in same if other.mean is not None and other.keys_sha256 == row.keys_sha256]
    return (max if row.better == "higher" else min)(means, default=None)


def _reference(suite: Sequence[ByDataset]) -> ByDataset | None:
    """The first model with a number on every dataset; None where less is not better, or for a single one of either."""
    datasets = {dataset: row for by_dataset in suite for dataset, row in by_dataset.items()}
    if len(suite) < 2 or len(datasets) < 2 or any(row.better == "higher" for row in datasets.values()):
        return None
    return next((one for one in suite if len(one) == len(datasets) and all(row.mean for row in one.values())), None)


def _has_all(by_dataset: ByDataset, reference: ByDataset) -> bool:
    """Whether a model has a number wherever the reference has, over the same images."""
    return all(
        name in by_dataset and by_dataset[name].mean is not None and by_dataset[name].keys_sha256 == row.keys_sha256
        for name, row in reference.items()
    )
