"""Two measured models beside each other, image by image: is one better, or is the set too small to tell?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from dpt_bench.core.errors import UnknownNameError, UsageError
from dpt_bench.results import PairedDifference, improvement, paired_difference, read_results, read_summary
from dpt_bench.results.summary import Label, SummaryRow

_LABELS: tuple[Label, ...] = ("complete", "partial", "sample-world")


@dataclass(frozen=True)
class ComparedCell:
    """One metric on one dataset: facts of the first model's row, means of both over the images that both have.

    n_only_one: images that one of the two has no score for, which the difference leaves out.
    label: the first model's, or the second's where that says more: sample-world, else partial, else complete.
    """

    row: SummaryRow
    label: Label
    first_mean: float
    second_mean: float
    difference: PairedDifference
    n_only_one: int

    @property
    def better(self) -> str | None:
        """Which is, "first" or "second", where the interval of the difference does not hold zero."""
        if not self.difference.resolved:
            return None
        return "first" if (self.difference.mean < 0) == (self.row.better == "lower") else "second"


@dataclass(frozen=True)
class ComparedModels:
    """All that both models were measured on.

    improvement: by which share the first model's errors are lower than the second's, the mean over datasets of each
    suite's first metric, as the papers' tables give it; None with a metric of which more is better, or no dataset.
    """

    first: str
    second: str
    cells: tuple[ComparedCell, ...]
    improvement: float | None


def compare_models(folders: Sequence[Path], first: str, second: str) -> ComparedModels:
    """Compare by name (or name@first digits of the checkpoint's checksum) over the images that both were scored on.

    A dataset on which one was measured and the other on its rendered stand-in (the sample world) is left out.

    Raises:
        UsageError: an unknown or ambiguous name, a folder without results, or nothing that both were measured on.
        DataError: a results folder is damaged.
    """
    summary = [row for folder in folders for row in read_summary(folder)]
    tables = [read_results(folder) for folder in folders]
    sides = [_rows_of(summary, name) for name in (first, second)]
    cells = tuple(
        cell
        for name, row in sides[0].items()
        if name in sides[1] and (cell := _compared(row, sides[1][name], tables)) is not None
    )
    if not cells:
        raise UsageError(
            f"{first} and {second} share no image of one suite, version and dataset",
            where=", ".join(map(str, folders)),
            fix="evaluate both with the same suite on the same data (rendered images of the sample world are not the "
            "dataset's, though they may have its names)",
        )
    return ComparedModels(first, second, cells, _improvement(cells))


def _rows_of(summary: Iterable[SummaryRow], name: str) -> dict[tuple[str, int, str, str], SummaryRow]:
    plain, _, digits = name.rpartition("@") if "@" in name else (name, "", "")
    rows = [
        row
        for row in summary
        if row.model == name or (digits and row.model == plain and (row.checkpoint_sha256 or "").startswith(digits))
    ]
    if not rows:
        raise UnknownNameError("measured model", name, {row.model for row in summary})
    checkpoints = {row.checkpoint_sha256 for row in rows}
    if len(checkpoints) > 1:
        known = ", ".join(f"{name}@{(checkpoint or '')[:8]}" for checkpoint in sorted(map(str, checkpoints)))
        raise UsageError(f"{len(checkpoints)} checkpoints go by the name {name!r}", fix=f"give one of {known}")
    return {(row.suite, row.suite_version, row.dataset, row.metric): row for row in rows}


def _compared(one: SummaryRow, other: SummaryRow, tables: Sequence[pa.Table]) -> ComparedCell | None:
    if (one.label == "sample-world") != (other.label == "sample-world"):
        return None
    first, second = (_values(row, tables) for row in (one, other))
    shared = first.keys() & second.keys()
    if not shared:
        return None
    return ComparedCell(
        row=one,
        label=max(one.label, other.label, key=_LABELS.index),
        first_mean=sum(first[key] for key in shared) / len(shared),
        second_mean=sum(second[key] for key in shared) / len(shared),
        difference=paired_difference(first, second),
        n_only_one=len(first.keys() ^ second.keys()),
    )


def _values(row: SummaryRow, tables: Sequence[pa.Table]) -> dict[str, float]:
    found: dict[str, float] = {}
    for table in tables:
        mask = table["value"].is_valid()
        for column in ("suite", "suite_version", "model", "dataset", "metric", "checkpoint_sha256"):
            wanted = getattr(row, column)
            mask = pc.and_(mask, table[column].is_null() if wanted is None else pc.equal(table[column], wanted))
        chosen = table.filter(mask)
        found.update(zip(chosen["key"].to_pylist(), chosen["value"].to_pylist(), strict=True))
    return found


def _improvement(cells: Sequence[ComparedCell]) -> float | None:
    firsts = [cell for cell in cells if cell.row.on_board]
    suites = {(cell.row.suite, cell.row.suite_version) for cell in firsts}
    if len(suites) != 1 or any(cell.row.better == "higher" or not cell.second_mean for cell in firsts):
        return None
    return improvement(
        {cell.row.dataset: cell.first_mean for cell in firsts}, {cell.row.dataset: cell.second_mean for cell in firsts}
    )
