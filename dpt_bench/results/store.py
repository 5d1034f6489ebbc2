"""A results folder: journals and cells are the record; results.parquet, summary.csv and leaderboard.csv come of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import ValidationError

from dpt_bench.core.errors import DataError, UsageError
from dpt_bench.results.atomic import write_atomically
from dpt_bench.results.board import write_board
from dpt_bench.results.journal import Journal, read_journal
from dpt_bench.results.schema import (
    CELL_COLUMNS,
    RESULT_SCHEMA,
    Cell,
    CellId,
    ImageResult,
    as_table,
    from_table,
    ordered,
    rows_of,
)
from dpt_bench.results.summary import SummaryRow, summarise_table, write_summary


@dataclass(frozen=True)
class ResultStore:
    """One folder. Several processes may write into it at once: each has its own journal, and files appear by rename."""

    folder: Path

    @property
    def parquet(self) -> Path:
        return self.folder / "results.parquet"

    @property
    def summary_csv(self) -> Path:
        return self.folder / "summary.csv"

    @property
    def leaderboard_csv(self) -> Path:
        return self.folder / "leaderboard.csv"

    @property
    def journals(self) -> Path:
        return self.folder / "journal"

    def create(self) -> None:
        """Make the folder.

        Raises:
            UsageError: it cannot be made or written.
        """
        try:
            (self.folder / "cells").mkdir(parents=True, exist_ok=True)
            write_atomically(self.folder / "cells" / ".writable", b"")
            (self.folder / "cells" / ".writable").unlink(missing_ok=True)
        except OSError as error:
            raise UsageError(
                f"the results folder cannot be written: {error.strerror}", where=self.folder, fix="choose another --out"
            ) from error

    def declare(self, cell: Cell) -> None:
        """Record a cell before its first result.

        Raises:
            UsageError: the folder holds results of this cell that were made with other settings.
        """
        path = self.folder / "cells" / f"{cell.file_stem}.json"
        if path.exists() and (known := _read_cell(path).settings) != cell.settings:
            names = sorted(name for name in {*known, *cell.settings} if known.get(name) != cell.settings.get(name))
            changes = [f"{name} from {known.get(name)} to {cell.settings.get(name)}" for name in names]
            raise UsageError(
                f"results of {cell.model} on {cell.dataset} were made with other settings: {'; '.join(changes)}",
                where=self.folder,
                fix="choose another --out, or raise the suite's version",
            )
        write_atomically(path, cell.model_dump_json(indent=2).encode() + b"\n")

    def cells(self) -> list[Cell]:
        """All declared cells, ordered by suite, dataset and model.

        Raises:
            DataError: a file of the folder is damaged.
        """
        found = [_read_cell(path) for path in (self.folder / "cells").glob("*.json")]
        return sorted(
            found, key=lambda cell: (cell.suite, cell.suite_version, cell.position, cell.model, repr(cell.id))
        )

    def journal(self) -> Journal:
        return Journal(self.journals)

    def table(self) -> pa.Table:
        """Rows of RESULT_SCHEMA of all finished images, each once, in the order of `to_table`.

        Raises:
            DataError: a journal or the parquet file is damaged.
        """
        parts = [read_results(self.folder)] if self.parquet.exists() else []
        parts += [as_table(read_journal(path)) for path in sorted(self.journals.glob("*.jsonl"))]
        return ordered(pa.concat_tables([RESULT_SCHEMA.empty_table(), *parts]))

    def results(self, cell: Cell | None = None) -> list[ImageResult]:
        """All finished images, or those of a cell, as objects.

        Raises:
            DataError: as `table`.
        """
        table = self.table()
        return from_table(table if cell is None else rows_of(table, cell))

    def finished(self) -> dict[CellId, set[str]]:
        """Keys that need no further work. An image that never reached the network (unreadable, say) is tried again."""
        table = self.table()
        done = table.filter(pc.or_(table["skipped"].is_null(), table["input_height"].is_valid()))
        keys = done.group_by(list(CELL_COLUMNS)).aggregate([("key", "distinct")])
        columns = [keys[name].to_pylist() for name in (*CELL_COLUMNS, "key_distinct")]
        return {(model, *facts): set(found) for model, *facts, found in zip(*columns, strict=True)}

    def compact(self) -> list[SummaryRow]:
        """Write results.parquet, summary.csv and leaderboard.csv; returns the summary."""
        table = self.table()
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink, compression="zstd")
        write_atomically(self.parquet, sink.getvalue().to_pybytes())
        summary = summarise_table(self.cells(), table)
        write_summary(self.summary_csv, summary)
        write_board(self.leaderboard_csv, summary)
        return summary


def read_results(folder: Path) -> pa.Table:
    """Rows of RESULT_SCHEMA of a results folder.

    Raises:
        UsageError: the folder holds no results.
        DataError: its file is damaged or of another schema.
    """
    path = folder / "results.parquet"
    if not path.is_file():
        raise UsageError("no results here", where=path, fix="run `dpt-bench zeroshot --out` with this folder first")
    try:
        table = pq.read_table(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(f"the results cannot be read: {error}", where=path, fix=_REBUILD) from error
    if table.schema.names != RESULT_SCHEMA.names:
        raise DataError("the results have the columns of another version", where=path, fix=_REBUILD)
    return table.cast(RESULT_SCHEMA)


_REBUILD = "remove the file and run `dpt-bench zeroshot` again: it is made anew from the journals beside it"


def _read_cell(path: Path) -> Cell:
    try:
        return Cell.model_validate(json.loads(path.read_bytes()))
    except (ValidationError, ValueError) as error:
        raise DataError(f"damaged: {error}", where=path, fix="remove the file and evaluate again") from None
