"""The board: results and published numbers of one suite side by side, as plain values that every writer prints."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from dpt_bench.core.errors import UsageError
from dpt_bench.leaderboard.columns import Column, build_columns
from dpt_bench.leaderboard.sources import SuiteSources
from dpt_bench.results import SummaryRow, improvement
from dpt_bench.results.published import PublishedRow

ModelId = tuple[str, str | None]
"""Name and checkpoint_sha256 of a measured model."""


@dataclass(frozen=True)
class Cell:
    """One number. text: as printed, without its unit. low, high: 95 % interval of a measured mean."""

    value: float
    text: str
    low: float | None = None
    high: float | None = None
    num_images: int | None = None
    num_skipped: int = 0
    keys_sha256: str | None = None
    label: Literal["published", "complete", "partial", "sample-world"] = "published"
    trained_on_dataset: bool | None = None
    note: str = ""
    best: bool = False


@dataclass(frozen=True)
class Row:
    """One line of the board.

    source: paper and table, or what measured it. input: where the resize differs from the suite's rule.
    improvement: a fraction.
    """

    model: str
    trained_on: str
    source: str
    cells: tuple[Cell | None, ...]
    input: str = ""
    verified: bool = True
    measured: ModelId | None = None
    improvement: float | None = None

    @property
    def labels(self) -> list[str]:
        """Why a measured row does not stand beside published ones."""
        return sorted({cell.label for cell in self.cells if cell} - {"published", "complete"})


@dataclass(frozen=True)
class Section:
    """Rows, the columns that any of them has a number in, and the model that improvements are relative to."""

    columns: tuple[Column, ...] = ()
    rows: tuple[Row, ...] = ()
    reference: str | None = None


@dataclass(frozen=True)
class Board:
    """One suite and version. published: all over the published image lists; own: what else was run here."""

    suite: str
    version: int
    title: str
    citation: str
    published: Section
    own: Section

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of both sections."""
        return tuple(dict.fromkeys((*self.published.columns, *self.own.columns)))

    @property
    def sections(self) -> tuple[tuple[Section, bool], ...]:
        """Sections that have rows, and whether theirs may be compared with published numbers."""
        return tuple((section, section is self.published) for section in (self.published, self.own) if section.rows)


def build_board(sources: SuiteSources, *, reference: str | None = None, every_metric: bool = False) -> Board:
    """The board of one suite, a pure function of its sources.

    A measured number stands in `published` where its image list has the published checksum, else in `own`, so that each
    number appears once. A section's reference is the model of that name, or its first row without a gap.

    Raises:
        UsageError: no row is of the reference model.
    """
    columns = build_columns(sources, every_metric=every_metric)
    comparable = {id(row) for row in sources.measured if _is_comparable(row, columns)}
    published = _published_rows(sources.published, columns)
    published += _measured_rows([row for row in sources.measured if id(row) in comparable], columns)
    own = _measured_rows([row for row in sources.measured if id(row) not in comparable], columns)
    names = list(dict.fromkeys(row.model for row in (*published, *own)))
    if reference is not None and reference not in names:
        raise UsageError(
            f"no row of {sources.name} is of the reference model {reference!r}", fix=f"known: {', '.join(names)}"
        )
    return Board(
        suite=sources.name,
        version=sources.version,
        title=sources.suite.title if sources.suite else sources.name,
        citation=sources.suite.citation if sources.suite else "",
        published=_section(published, columns, reference),
        own=_section(own, columns, reference),
    )


def _is_comparable(row: SummaryRow, columns: Sequence[Column]) -> bool:
    lists = {column.keys_sha256 for column in columns if column.dataset == row.dataset}
    return row.label == "complete" and row.keys_sha256 in lists


def _published_rows(rows: Iterable[PublishedRow], columns: Sequence[Column]) -> list[Row]:
    lists = {(column.dataset, column.metric): column.keys_sha256 for column in columns}
    groups: dict[tuple[str, ...], dict[tuple[str, str], PublishedRow]] = {}
    for row in rows:
        place = (row.dataset, row.metric)
        if place in lists and row.keys_sha256 in (None, lists[place]):
            groups.setdefault((row.model, row.trained_on, row.input, row.paper, row.table), {})[place] = row
    return [
        Row(
            model=model,
            trained_on=trained_on,
            source=f"{paper}, {table}" if table else paper,
            cells=tuple(_published_cell(group.get((column.dataset, column.metric)), column) for column in columns),
            input=input_,
            verified=all(row.status == "verified" for row in group.values()),
        )
        for (model, trained_on, input_, paper, table), group in groups.items()
    ]


def _published_cell(row: PublishedRow | None, column: Column) -> Cell | None:
    if row is None:
        return None
    return Cell(
        value=float(row.value),
        text=column.show(row.value),
        num_images=row.num_images,
        keys_sha256=column.keys_sha256,
        trained_on_dataset=row.trained_on_dataset,
        note=row.note,
    )


def _measured_rows(rows: Iterable[SummaryRow], columns: Sequence[Column]) -> list[Row]:
    groups: dict[ModelId, dict[tuple[str, str], SummaryRow]] = {}
    for row in rows:
        groups.setdefault((row.model, row.checkpoint_sha256), {})[row.dataset, row.metric] = row
    return [
        Row(
            model=model[0],
            trained_on=facts.trained_on,
            source=f"measured by dpt_bench {facts.package_version}",
            cells=tuple(_measured_cell(group.get((column.dataset, column.metric)), column) for column in columns),
            input="" if facts.resized_by == "suite" else f"resized by the model: {facts.resize_rule}",
            measured=model,
        )
        for model, group in groups.items()
        for facts in list(group.values())[:1]
    ]


def _measured_cell(row: SummaryRow | None, column: Column) -> Cell | None:
    if row is None or row.mean is None:
        return None
    return Cell(
        value=row.mean,
        text=column.show(row.mean),
        low=row.ci_low,
        high=row.ci_high,
        num_images=row.n_images,
        num_skipped=row.n_skipped,
        keys_sha256=row.keys_sha256,
        label=row.label,
        trained_on_dataset=row.trained_on_dataset,
        note=f"skipped: {row.skips}" if row.skips else "",
    )


def _section(rows: list[Row], all_columns: Sequence[Column], reference: str | None) -> Section:
    places = [place for place in range(len(all_columns)) if any(row.cells[place] for row in rows)]
    columns = tuple(all_columns[place] for place in places)
    rows = [replace(row, cells=tuple(row.cells[place] for place in places)) for row in rows]
    best = [_best([row.cells[place] for row in rows], column) for place, column in enumerate(columns)]
    marked = [
        replace(row, cells=tuple(_mark(cell, value) for cell, value in zip(row.cells, best, strict=True)))
        for row in rows
    ]
    firsts = [place for place, column in enumerate(columns) if column.first]
    base = next((row for row in marked if reference in (None, row.model) and _has_all(row, firsts)), None)
    if base is None or len(firsts) < 2 or any(columns[place].higher_is_better for place in firsts):
        return Section(columns, tuple(marked))
    return Section(columns, tuple(_ranked(marked, base, firsts)), base.model)


def _best(cells: Sequence[Cell | None], column: Column) -> float | None:
    """The best value of models that did not train on the dataset; none where the cells are over several image lists."""
    found = [cell for cell in cells if cell and not cell.trained_on_dataset]
    if len(found) < 2 or len({cell.keys_sha256 for cell in found}) > 1:
        return None
    values = [cell.value for cell in found]
    return max(values) if column.higher_is_better else min(values)


def _mark(cell: Cell | None, best: float | None) -> Cell | None:
    return replace(cell, best=True) if cell and cell.value == best and not cell.trained_on_dataset else cell


def _ranked(rows: Sequence[Row], base: Row, places: Sequence[int]) -> list[Row]:
    """Rows by improvement over `base`; one with gaps has none, and stands where its own datasets put it."""
    standings = [_standing(row, base, places) for row in rows]
    order = sorted(range(len(rows)), key=lambda place: (standings[place] is None, -(standings[place] or 0.0)))
    return [
        replace(rows[place], improvement=standings[place] if _has_all(rows[place], places) else None) for place in order
    ]


def _has_all(row: Row, places: Sequence[int]) -> bool:
    return all(row.cells[place] for place in places)


def _standing(row: Row, base: Row, places: Sequence[int]) -> float | None:
    """Improvement over `base` on the datasets of the row; None where its images are others than the base's."""
    pairs = [(mine, theirs) for place in places if (mine := row.cells[place]) and (theirs := base.cells[place])]
    if not pairs or any(mine.keys_sha256 != theirs.keys_sha256 or not theirs.value for mine, theirs in pairs):
        return None
    errors = {str(place): mine.value for place, (mine, _) in enumerate(pairs)}
    return improvement(errors, {str(place): theirs.value for place, (_, theirs) in enumerate(pairs)})
