"""The board as plain values, which every writer prints as they are: cells, rows, sections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dpt_bench.leaderboard.columns import Column

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
