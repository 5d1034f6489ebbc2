"""Builds the board: results and published numbers of one suite side by side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dpt_bench.leaderboard.board import Board, Cell, ModelId, Row
from dpt_bench.leaderboard.columns import Column, build_columns
from dpt_bench.leaderboard.ranking import rank
from dpt_bench.leaderboard.sources import SuiteSources
from dpt_bench.results import SummaryRow
from dpt_bench.results.published import PublishedRow


def build_board(sources: SuiteSources, *, reference: str | None = None, every_metric: bool = False) -> Board:
    """The board of one suite, a pure function of its sources.

    A measured number stands in `published` where its image list has the published checksum, else in `own`, so that each
    number appears once. A section that lacks the reference model takes its first row without a gap.
    """
    columns = build_columns(sources, every_metric=every_metric)
    comparable = {id(row) for row in sources.measured if _is_comparable(row, columns)}
    published = _published_rows(sources.published, columns)
    published += _measured_rows([row for row in sources.measured if id(row) in comparable], columns)
    own = _measured_rows([row for row in sources.measured if id(row) not in comparable], columns)
    return Board(
        suite=sources.name,
        version=sources.version,
        title=sources.suite.title if sources.suite else sources.name,
        citation=sources.suite.citation if sources.suite else "",
        published=rank(published, columns, reference),
        own=rank(own, columns, reference),
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
        note=row.note if row.status == "verified" else f"{row.note} (from memory)".lstrip(),
    )


def _measured_rows(rows: Iterable[SummaryRow], columns: Sequence[Column]) -> list[Row]:
    groups: dict[ModelId, dict[tuple[str, str], SummaryRow]] = {}
    for row in rows:
        groups.setdefault((row.model, row.checkpoint_sha256), {})[row.dataset, row.metric] = row
    return [
        Row(
            model=model[0],
            trained_on=facts.trained_on,
            source=f"dpt_bench {facts.package_version}",
            cells=tuple(_measured_cell(group.get((column.dataset, column.metric)), column) for column in columns),
            input=_input(facts),
            measured=model,
        )
        for model, group in groups.items()
        for facts in list(group.values())[:1]
    ]


def _input(facts: SummaryRow) -> str:
    if facts.resized_by == "suite":
        return ""
    if facts.resize_rule in ("own", "not resized"):
        return "resized by the model" if facts.resize_rule == "own" else "not resized"
    return f"resized by the model: {facts.resize_rule}"


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
