"""Published numbers: leaderboards/<suite>.csv as strict rows (DESIGN 4.5); values are fractions, never percents."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from dpt_bench.core.errors import UnknownNameError, UsageError
from dpt_bench.core.resources import data_folder
from dpt_bench.core.toml import Strict

Status = Literal["verified", "from memory"]


def _none_if_empty(text: object) -> object:
    return None if text == "" else text


class PublishedRow(Strict):
    """One cell of a published table.

    value: in `unit`, with the digits that were printed. better: whether a lower or a higher value is better.
    trained_on_dataset: whether the model saw this dataset in training, None where its authors do not say.
    input: how the image was brought to the network where that differs from the suite's rule.
    keys_sha256: the image list's checksum where it is not the one of the split that the suite names.
    status: "verified" was read in the paper, its repository, or a text that quotes it; "from memory" was not.
    """

    suite: str = Field(min_length=1)
    suite_version: int = Field(ge=1)
    model: str = Field(min_length=1)
    trained_on: str
    input: str
    dataset: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    metric: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    value: Decimal = Field(ge=0)
    unit: Literal["fraction", "m", "log", "log10"]
    better: Literal["lower", "higher"]
    trained_on_dataset: Annotated[bool | None, BeforeValidator(_none_if_empty)]
    num_images: Annotated[int | None, BeforeValidator(_none_if_empty)] = Field(ge=1)
    keys_sha256: Annotated[str | None, BeforeValidator(_none_if_empty)] = Field(pattern=r"^[0-9a-f]{64}$")
    paper: str = Field(min_length=1)
    table: str
    status: Status
    note: str

    @model_validator(mode="after")
    def _is_no_percent(self) -> PublishedRow:
        if self.unit == "fraction" and self.value > 1:
            raise ValueError(f"{self.value} is no fraction: write {self.value / 100}, not percent")
        return self

    @property
    def cell(self) -> tuple[str, ...]:
        """What no second row of a file may repeat."""
        return (self.model, self.trained_on, self.input, self.paper, self.table, self.dataset, self.metric)


def published_suites() -> dict[str, Path]:
    """Suite name -> file, sorted by name."""
    files = data_folder("leaderboards").glob("*.csv")
    return {file.stem: file for file in sorted(files, key=lambda file: file.stem)}


def load_published(suite: str) -> tuple[PublishedRow, ...]:
    """The published rows of a suite, in the order of its file.

    Raises:
        UnknownNameError: nothing is published under this suite's protocol.
        UsageError: the file breaks the schema.
    """
    known = published_suites()
    if suite not in known:
        raise UnknownNameError("suite with published numbers", suite, known)
    return read_published(known[suite])


def read_published(path: Path) -> tuple[PublishedRow, ...]:
    """Read a file of published numbers; its stem is the suite of all its rows.

    Raises:
        UsageError: the file is missing, or a row breaks the schema, repeats a cell or names another suite.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file, restkey="more fields than columns", strict=True)
            records = [(reader.line_num, record) for record in reader]
            header = reader.fieldnames or []
    except FileNotFoundError:
        raise UsageError("file not found", where=path, fix="check the path") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"file cannot be read: {error}", where=path) from error
    if list(header) != list(PublishedRow.model_fields):
        raise UsageError(
            f"the columns are {', '.join(header) or 'missing'}",
            where=path,
            fix=f"make the first line {','.join(PublishedRow.model_fields)}",
        )
    rows = [_row(record, path, line) for line, record in records]
    seen: dict[tuple[str, ...], int] = {}
    for (line, _), row in zip(records, rows, strict=True):
        if row.suite != path.stem:
            raise UsageError(
                f"the row is of suite {row.suite!r}, the file of {path.stem!r}", where=f"{path}, line {line}"
            )
        if row.cell in seen:
            raise UsageError(
                f"the row repeats line {seen[row.cell]}: {', '.join(row.cell)}", where=f"{path}, line {line}"
            )
        seen[row.cell] = line
    return tuple(rows)


def _row(record: dict[str, str], path: Path, line: int) -> PublishedRow:
    try:
        return PublishedRow.model_validate(record)
    except ValidationError as error:
        wrong = "; ".join(_explain(detail) for detail in error.errors())
        raise UsageError(
            wrong, where=f"{path}, line {line}", fix="see leaderboards/README.md for the columns"
        ) from None


def _explain(detail: ErrorDetails) -> str:
    message = detail["msg"].removeprefix("Value error, ")
    return f"{detail['loc'][0]} is {detail['input']!r}: {message}" if detail["loc"] else message
