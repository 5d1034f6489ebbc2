"""What a results folder holds: cells (a model on a dataset of a suite), results (one image of a cell), parquet rows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from itertools import islice
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dpt_bench.core.kinds import DepthKind
from dpt_bench.core.suite import AlignmentModel, AlignmentSpace
from dpt_bench.core.toml import Strict

Better = Literal["lower", "higher"]
NO_VALID_PIXEL = "no-valid-pixel"
"""Reason of a skip that the protocol prescribes, for every model alike; all other skips are failures."""

CellId = tuple[str, str | None, str, int, str]
"""model, checkpoint_sha256, suite, suite_version, dataset"""
CELL_COLUMNS = ("model", "checkpoint_sha256", "suite", "suite_version", "dataset")
_ORDER = ["suite", "suite_version", "dataset", "model", "checkpoint_sha256", "key", "metric"]
_CHUNK = 1024  # results that are objects at a time

RESULT_SCHEMA = pa.schema(
    [
        pa.field("model", pa.string(), nullable=False),
        pa.field("checkpoint_sha256", pa.string()),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("suite", pa.string(), nullable=False),
        pa.field("suite_version", pa.int32(), nullable=False),
        pa.field("dataset", pa.string(), nullable=False),
        pa.field("key", pa.string(), nullable=False),
        pa.field("metric", pa.string(), nullable=False),
        pa.field("value", pa.float64()),
        pa.field("unit", pa.string(), nullable=False),
        pa.field("input_height", pa.int32()),
        pa.field("input_width", pa.int32()),
        pa.field("resized_by", pa.string(), nullable=False),
        pa.field("alignment_space", pa.string(), nullable=False),
        pa.field("alignment", pa.string(), nullable=False),
        pa.field("scale", pa.float64()),
        pa.field("shift", pa.float64()),
        pa.field("n_valid", pa.int64(), nullable=False),
        pa.field("flags", pa.list_(pa.string()), nullable=False),
        pa.field("skipped", pa.string()),
        pa.field("message", pa.string()),
    ]
)
"""Columns of results.parquet (DESIGN section 4.4), a row an image and metric; `skipped` says why a `value` is null."""


class MetricFacts(Strict):
    """A metric as the tables need it; unit is never percent."""

    name: str
    unit: str
    better: Better


class Cell(Strict):
    """One model on one dataset of one suite: what its rows share, and what their label depends on.

    position: place of the dataset in its suite; metrics: the first one makes the board's column.
    kind: what the model predicts; scored_as: the weaker or equal kind that the suite's alignment leaves of it.
    published_keys_sha256: checksum of the published image list, None where the recipe states none.
    sample_world: the data are rendered scenes, not the dataset. trained_on: recipe names.
    settings: all that may move a number (protocol and dataset facts), so that rows made otherwise are never mixed in.
    """

    model: str
    checkpoint_sha256: str | None
    kind: DepthKind
    scored_as: DepthKind
    suite: str
    suite_version: int
    dataset: str
    position: int
    split: str
    metrics: tuple[MetricFacts, ...]
    resized_by: Literal["suite", "own"]
    resize_rule: str
    trained_on: tuple[str, ...]
    published_keys_sha256: str | None
    sample_world: bool
    settings: dict[str, str]
    package_version: str

    @property
    def id(self) -> CellId:
        return (self.model, self.checkpoint_sha256, self.suite, self.suite_version, self.dataset)

    @property
    def file_stem(self) -> str:
        """A file name of the cell: readable, safe, and unique by a hash."""
        return file_stem(self.dataset, self.model, unique=repr(self.id))


class Score(Strict):
    """value: None where the image was skipped."""

    metric: str
    value: float | None
    unit: str


class ImageResult(Strict):
    """One image of a cell, finished: scored, or skipped for a reason (a slug; `message` says it in words)."""

    model: str
    checkpoint_sha256: str | None
    kind: DepthKind
    suite: str
    suite_version: int
    dataset: str
    key: str
    scores: tuple[Score, ...]
    input_height: int | None = None
    input_width: int | None = None
    resized_by: Literal["suite", "own"]
    alignment_space: AlignmentSpace
    alignment: AlignmentModel
    scale: float | None = None
    shift: float | None = None
    n_valid: int = 0
    flags: tuple[str, ...] = ()
    skipped: str | None = None
    message: str | None = None

    @property
    def cell(self) -> CellId:
        return (self.model, self.checkpoint_sha256, self.suite, self.suite_version, self.dataset)


def to_table(results: Iterable[ImageResult]) -> pa.Table:
    """Rows of RESULT_SCHEMA in a fixed order, whatever the order of the results."""
    return ordered(as_table(results))


def as_table(results: Iterable[ImageResult]) -> pa.Table:
    """Rows of RESULT_SCHEMA in the order of the results: a tenth of the memory that the objects would take."""
    waiting = iter(results)
    parts = [RESULT_SCHEMA.empty_table()]
    while some := list(islice(waiting, _CHUNK)):
        rows = [(result, score) for result in some for score in result.scores]
        columns = [
            pa.array([getattr(row[field.name in Score.model_fields], field.name) for row in rows], field.type)
            for field in RESULT_SCHEMA
        ]
        parts.append(pa.Table.from_arrays(columns, schema=RESULT_SCHEMA))
    return pa.concat_tables(parts).combine_chunks()


def ordered(table: pa.Table) -> pa.Table:
    """The rows sorted by suite, dataset, model, image and metric.

    Of several results of one image a scored one stays, else the first.
    """
    rank = pc.add(pc.multiply(table["skipped"].is_valid().cast(pa.int64()), len(table)), np.arange(len(table)))
    order = pc.sort_indices(
        table.select(_ORDER).append_column("rank", rank), [(name, "ascending") for name in (*_ORDER, "rank")]
    )
    table = table.take(order).combine_chunks()
    return table.filter(pc.invert(_repeats(table))) if len(table) > 1 else table


def _repeats(table: pa.Table) -> pa.Array:
    """Which rows are of the same image and metric as the row before."""
    same = np.ones(len(table) - 1, dtype=np.bool_)
    for name in _ORDER:
        column = table[name].combine_chunks()
        equal = pc.equal(column[1:], column[:-1]).fill_null(fill_value=False).to_numpy(zero_copy_only=False)
        missing = column.is_null().to_numpy(zero_copy_only=False)
        same &= equal | (missing[1:] & missing[:-1])
    return pa.array(np.concatenate([[False], same]))


def rows_of(table: pa.Table, cell: Cell) -> pa.Table:
    """The rows of one cell, in their order."""
    for column, wanted in zip(CELL_COLUMNS, cell.id, strict=True):
        table = table.filter(table[column].is_null() if wanted is None else pc.equal(table[column], wanted))
    return table


def from_table(table: pa.Table) -> list[ImageResult]:
    """The results whose rows a table holds; the reverse of `to_table`."""
    rows: dict[tuple[CellId, str], dict[str, object]] = {}
    scores: dict[tuple[CellId, str], list[Score]] = {}
    for row in table.to_pylist():
        score = Score(metric=row.pop("metric"), value=row.pop("value"), unit=row.pop("unit"))
        cell: CellId = (row["model"], row["checkpoint_sha256"], row["suite"], row["suite_version"], row["dataset"])
        rows[cell, row["key"]] = row
        scores.setdefault((cell, row["key"]), []).append(score)
    return [ImageResult.model_validate({**row, "scores": tuple(scores[name])}) for name, row in rows.items()]


def file_stem(*parts: str, unique: str) -> str:
    """Parts joined for people, of characters that every file system takes, and eight hex digits of `unique`."""
    plain = ["".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in part) for part in parts]
    return "--".join([part[:60] for part in plain] + [hashlib.sha256(unique.encode()).hexdigest()[:8]])
