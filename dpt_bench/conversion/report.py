"""What became of a build: one row a dataset, for the table at its end and for the exit code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from dpt_bench.core.errors import DataError

Status = Literal["built", "present", "planned", "missing", "failed"]
COLUMNS = ("dataset", "status", "samples", "rejected", "shards", "size", "note")
_UNITS = ("B", "kB", "MB", "GB", "TB")


@dataclass(frozen=True)
class DatasetRow:
    """One dataset of a build.

    status: "built" by this build; "present", finished earlier and its raw tree is gone; "planned" in a dry run;
    "missing", with the way to obtain it in `note`; "failed", with the reason in `note`, which otherwise tells what the
    raw tree lacks of the release or holds and is no item.
    samples: accepted ones by split, in a dry run the items planned. num_bytes: of the shards, in a dry run an estimate.
    """

    dataset: str
    status: Status
    samples: dict[str, int] = field(default_factory=dict)
    rejections: dict[str, int] = field(default_factory=dict)
    shards: int = 0
    num_bytes: int = 0
    note: str = ""

    def cells(self) -> tuple[str, ...]:
        """Texts in the order of COLUMNS."""
        samples = " + ".join(f"{count:,} {split}" for split, count in self.samples.items() if count)
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in self.rejections.items())
        size = human_size(self.num_bytes) if self.num_bytes else ""
        shards = f"{self.shards:,}" if self.shards else ""
        return self.dataset, self.status, samples, reasons, shards, size, self.note


@dataclass(frozen=True)
class BuildReport:
    """What became of a build.

    coverage: "7 of 10", as the manifest says, or would after a dry run. free_bytes: None on an object store.
    """

    mix: str
    out: str
    rows: tuple[DatasetRow, ...]
    coverage: str
    missing_is_fine: bool
    seconds: float = 0.0
    free_bytes: int | None = None

    @property
    def complete(self) -> bool:
        """Whether the build did all that was asked of it: the exit code is 0 exactly then."""
        bad = {"failed"} if self.missing_is_fine else {"failed", "missing"}
        return not any(row.status in bad for row in self.rows)

    @property
    def missing(self) -> dict[str, str]:
        """Dataset -> why it is missing and how to obtain it."""
        return {row.dataset: row.note for row in self.rows if row.status == "missing"}

    def table(self) -> list[tuple[str, ...]]:
        """Header and one row a dataset, as texts."""
        return [COLUMNS, *(row.cells() for row in self.rows)]


class BuildFailed(DataError):  # noqa: N818  # it reads as a sentence, and it carries what was done nevertheless
    """Some datasets of a build failed; the others are finished. `report` tells of all."""

    def __init__(self, report: BuildReport, errors: Sequence[str], *, fix: str) -> None:
        super().__init__("; ".join(errors), where=report.out, fix=fix)
        self.report = report


def human_size(num_bytes: float) -> str:
    """1234567 -> "1.2 MB"."""
    for unit in _UNITS[:-1]:
        if num_bytes < 1000:
            return f"{num_bytes:.0f} {unit}" if unit == "B" else f"{num_bytes:.1f} {unit}"
        num_bytes /= 1000
    return f"{num_bytes:.1f} {_UNITS[-1]}"
