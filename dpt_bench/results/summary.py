"""summary.csv: one row a cell and metric: mean, interval, counts, and the label that says what it may stand beside."""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BeforeValidator, ValidationError

from dpt_bench.core.errors import DataError, UsageError
from dpt_bench.core.provenance import sha256_of_keys
from dpt_bench.core.toml import Strict
from dpt_bench.results.atomic import write_atomically
from dpt_bench.results.schema import NO_VALID_PIXEL, Better, Cell, CellId, ImageResult, MetricFacts, rows_of, to_table
from dpt_bench.results.statistics import bootstrap_interval

Label = Literal["complete", "partial", "sample-world"]


def _none_if_empty(text: object) -> object:
    return None if text == "" else text


Number = Annotated[float | None, BeforeValidator(_none_if_empty)]


class SummaryRow(Strict):
    """One line of summary.csv.

    mean: over the n_images scored images, each weighing the same; None where there is none. In `unit`, never percent.
    ci_low, ci_high: its 95 % bootstrap interval. n_skipped: images without a score; `skips` and `flags` count reasons.
    on_board: the suite's first metric, which makes the board's column.
    label: "complete" where the image list has the published list's checksum and only images without a valid pixel were
        skipped; "sample-world" for rendered data; else "partial".
    trained_on: recipe names joined by " + "; trained_on_dataset: whether this dataset is one of them.
    """

    model: str
    dataset: str
    metric: str
    mean: Number
    ci_low: Number
    ci_high: Number
    unit: str
    better: Better
    on_board: bool
    n_images: int
    n_skipped: int
    skips: str
    n_flagged: int
    flags: str
    label: Label
    trained_on: str
    trained_on_dataset: bool
    suite: str
    suite_version: int
    split: str
    keys_sha256: str
    kind: str
    scored_as: str
    resized_by: Literal["suite", "own"]
    resize_rule: str
    checkpoint_sha256: Annotated[str | None, BeforeValidator(_none_if_empty)]
    package_version: str

    @property
    def cell(self) -> CellId:
        return (self.model, self.checkpoint_sha256, self.suite, self.suite_version, self.dataset)


def summarise(cells: Sequence[Cell], results: Iterable[ImageResult]) -> list[SummaryRow]:
    """One row a cell and metric, in the order of the cells and of their metrics."""
    return summarise_table(cells, to_table(results))


def summarise_table(cells: Sequence[Cell], table: pa.Table) -> list[SummaryRow]:
    """The same of rows of RESULT_SCHEMA, sorted as `to_table` sorts."""
    found = []
    for cell in cells:
        rows = rows_of(table, cell)
        found += [_row(cell, metric, rows.filter(pc.equal(rows["metric"], metric.name))) for metric in cell.metrics]
    return found


def write_summary(path: Path, rows: Sequence[SummaryRow]) -> None:
    write_atomically(path, csv_bytes(list(SummaryRow.model_fields), [row.model_dump() for row in rows]))


def read_summary(folder: Path) -> list[SummaryRow]:
    """The summary of a results folder.

    Raises:
        UsageError: the folder has none.
        DataError: it breaks the schema.
    """
    path = folder / "summary.csv"
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return [SummaryRow.model_validate(record) for record in csv.DictReader(file, strict=True)]
    except OSError:
        raise UsageError(
            "no results summary here", where=path, fix="run `dpt-bench zeroshot --out` with this folder first"
        ) from None
    except (ValidationError, csv.Error, UnicodeDecodeError) as error:
        raise DataError(
            f"the results summary is damaged: {error}", where=path, fix="run the evaluation again"
        ) from None


def csv_bytes(columns: Sequence[str], records: Iterable[dict[str, object]]) -> bytes:
    """CSV with a header; None is an empty cell, truth is yes or no, floats keep all their digits."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows({name: _plain(value) for name, value in record.items()} for record in records)
    return text.getvalue().encode()


def _plain(value: object) -> object:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else value


def _row(cell: Cell, metric: MetricFacts, rows: pa.Table) -> SummaryRow:
    skips = Counter(reason for reason in rows["skipped"].to_pylist() if reason is not None)
    scored = rows.filter(rows["skipped"].is_null())
    values = scored["value"].to_numpy().astype(np.float64)
    flags = scored["flags"].to_pylist()
    interval = bootstrap_interval(values)
    keys_sha256 = sha256_of_keys(rows["key"].to_pylist())
    return SummaryRow(
        model=cell.model,
        dataset=cell.dataset,
        metric=metric.name,
        mean=_finite(values.mean()) if len(scored) else None,
        ci_low=_finite(interval.low),
        ci_high=_finite(interval.high),
        unit=metric.unit,
        better=metric.better,
        on_board=metric == cell.metrics[0],
        n_images=len(scored),
        n_skipped=skips.total(),
        skips=_counts(skips),
        n_flagged=sum(map(bool, flags)),
        flags=_counts(Counter(flag for of_image in flags for flag in of_image)),
        label=_label(cell, keys_sha256, skips),
        trained_on=" + ".join(cell.trained_on),
        trained_on_dataset=cell.dataset in cell.trained_on,
        suite=cell.suite,
        suite_version=cell.suite_version,
        split=cell.split,
        keys_sha256=keys_sha256,
        kind=cell.kind,
        scored_as=cell.scored_as,
        resized_by=cell.resized_by,
        resize_rule=cell.resize_rule,
        checkpoint_sha256=cell.checkpoint_sha256,
        package_version=cell.package_version,
    )


def _label(cell: Cell, keys_sha256: str, skips: Counter[str]) -> Label:
    if cell.sample_world:
        return "sample-world"
    # An image list with failures in it is not the published list, whatever its checksum: the mean leaves images out.
    whole = set(skips) <= {NO_VALID_PIXEL}
    return "complete" if whole and keys_sha256 == cell.published_keys_sha256 else "partial"


def _counts(counter: Counter[str]) -> str:
    return " ".join(f"{name}:{count}" for name, count in sorted(counter.items()))


def _finite(number: float) -> float | None:
    return float(number) if math.isfinite(number) else None
