"""leaderboard.csv: the paper's table, one row a model and one column a dataset, named by its recipe."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dpt_bench.results.atomic import write_atomically
from dpt_bench.results.summary import SummaryRow, csv_bytes

_FACTS = ("metric", "unit", "label", "n_images", "n_skipped", "ci_low", "ci_high", "trained_on_dataset")


def write_board(path: Path, rows: Sequence[SummaryRow]) -> None:
    """Write the wide table of the rows that are on the board.

    Columns: model, one a dataset (the mean of the suite's first metric, a fraction where its unit says so), trained_on,
    suite, suite_version, checkpoint_sha256, package_version, and <dataset>_<fact> for what stands behind each mean.
    """
    shown = [row for row in rows if row.on_board]
    datasets = list(dict.fromkeys(row.dataset for row in shown))
    lines: dict[tuple[object, ...], dict[str, object]] = {}
    for row in shown:
        facts = {
            name: getattr(row, name)
            for name in ("model", "trained_on", "suite", "suite_version", "checkpoint_sha256", "package_version")
        }
        line = lines.setdefault((row.suite, row.suite_version, row.model, row.checkpoint_sha256), facts)
        line[row.dataset] = row.mean
        line.update({f"{row.dataset}_{fact}": getattr(row, fact) for fact in _FACTS})
    columns = ["model", *datasets, "trained_on", "suite", "suite_version", "checkpoint_sha256", "package_version"]
    columns += [f"{dataset}_{fact}" for dataset in datasets for fact in _FACTS]
    write_atomically(path, csv_bytes(columns, lines.values()))
