"""What a published table says of a model that was measured here, the difference, and what is known to explain one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import Field

from dpt_bench.core.errors import UnknownNameError, UsageError
from dpt_bench.core.resources import data_folder
from dpt_bench.core.toml import Strict, load_toml
from dpt_bench.results.published import PublishedRow, load_published, published_suites
from dpt_bench.results.summary import SummaryRow

PUBLISHED = "published"
"""The expectation that finds a model's row by the model's name."""


class ExpectedModel(Strict):
    """A released model and its row. names: a checkpoint file without its ending, or a Hugging Face id."""

    names: tuple[str, ...] = Field(min_length=1)
    suite: str
    model: str
    trained_on: str
    table: str


class Reason(Strict):
    """What is known to move a number of a suite. datasets: of these alone; none: of all. source: where it is said."""

    suite: str
    text: str
    source: str
    datasets: tuple[str, ...] = ()


class Expectations(Strict):
    """leaderboards/expected.toml."""

    models: tuple[ExpectedModel, ...]
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Comparison:
    """One number of ours beside the published one, both fractions where their unit says so.

    same: they differ by no more than what was rounded away in print. remarks: why the two may not be comparable.
    """

    ours: SummaryRow
    published: PublishedRow
    remarks: tuple[str, ...]

    @property
    def difference(self) -> float | None:
        return None if self.ours.mean is None else self.ours.mean - float(self.published.value)

    @property
    def same(self) -> bool:
        exponent = self.published.value.as_tuple().exponent
        assert isinstance(exponent, int), "published values are finite"
        return self.difference is not None and abs(self.difference) <= 0.5 * 10.0**exponent * (1 + 1e-9)


def load_expectations() -> Expectations:
    """The packaged facts.

    Raises:
        UsageError: the file breaks its schema.
    """
    return load_toml(data_folder("leaderboards") / "expected.toml", Expectations)


def compare_with_published(rows: Sequence[SummaryRow], expectation: str) -> list[Comparison]:
    """Every measured number that a table has a cell for, in the order of `rows`.

    Args:
        rows: of one suite.
        expectation: "published" finds the row of each model by its name (expected.toml); else the name of a model of
            the published table, which every measured model is compared with.

    Raises:
        UsageError: nothing is published under the suite, or not of this model.
    """
    if not rows:
        return []
    check_expectation(rows[0].suite, expectation)
    table = [row for row in load_published(rows[0].suite) if row.status == "verified"]
    return [
        Comparison(ours, row, _remarks(ours, row))
        for ours in rows
        for row in _rows_of(ours, table, expectation)
        if (row.dataset, row.metric, row.suite_version) == (ours.dataset, ours.metric, ours.suite_version)
    ]


def check_expectation(suite: str, expectation: str) -> None:
    """Refuse, before the work, what cannot be compared.

    Raises:
        UsageError: nothing is published under the suite, or of no such model.
    """
    if suite not in published_suites():
        raise UsageError(
            f"nothing is published under the suite {suite!r}", fix=f"known: {', '.join(published_suites())}"
        )
    if expectation == PUBLISHED:
        return
    known = sorted({row.model for row in load_published(suite) if row.status == "verified"})
    if expectation not in known:
        raise UnknownNameError("published model", expectation, [PUBLISHED, *known])


def reasons_for(comparisons: Sequence[Comparison]) -> list[Reason]:
    """What is known to explain the differences that are left, in the order of the file."""
    left = {(one.ours.suite, one.ours.dataset) for one in comparisons if not one.same}
    suites = {suite for suite, _ in left}
    return [
        reason
        for reason in load_expectations().reasons
        if reason.suite in suites
        and (not reason.datasets or any((reason.suite, dataset) in left for dataset in reason.datasets))
    ]


def _rows_of(ours: SummaryRow, table: Sequence[PublishedRow], expectation: str) -> list[PublishedRow]:
    if expectation != PUBLISHED:
        return [row for row in table if row.model == expectation]
    wanted = [
        (one.model, one.trained_on, one.table)
        for one in load_expectations().models
        if one.suite == ours.suite and _plain(ours.model) in one.names
    ]
    return [row for row in table if (row.model, row.trained_on, row.table) in wanted]


def _plain(model: str) -> str:
    return model.removeprefix("hf:")


def _remarks(ours: SummaryRow, published: PublishedRow) -> tuple[str, ...]:
    remarks = []
    if ours.label == "sample-world":
        remarks.append("rendered images of the sample world, not the dataset: not comparable")
    elif ours.label == "partial":
        total = f" of {published.num_images:,}" if published.num_images else ""
        remarks.append(f"{ours.n_images + ours.n_skipped:,}{total} images, or other ones: not the published list")
    if ours.n_skipped:
        remarks.append(f"{ours.n_skipped:,} images without a number ({ours.skips})")
    if ours.resized_by == "own":
        remarks.append("the model resized the images, not the suite")
    if ours.kind != ours.scored_as:
        remarks.append(f"predicts {ours.kind}, scored as {ours.scored_as}")
    return tuple(remarks)
