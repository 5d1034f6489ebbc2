"""The static site: an index of boards, a page a model, a page a suite; opens from a file, fetches nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from jinja2 import Template
from markupsafe import Markup

from dpt_bench.core.provenance import package_version
from dpt_bench.leaderboard.board import Board, Cell, ModelId, Section
from dpt_bench.leaderboard.columns import Column
from dpt_bench.leaderboard.distribution import CellName, Distribution
from dpt_bench.leaderboard.gallery import SiteGallery
from dpt_bench.leaderboard.protocol import protocol_words
from dpt_bench.leaderboard.sources import SuiteSources
from dpt_bench.leaderboard.wording import column_note, section_title, signed_percent, training_words
from dpt_bench.render.page import Link, Page, environment, render_page
from dpt_bench.results import SummaryRow
from dpt_bench.results.expected import load_expectations
from dpt_bench.results.gallery import TILES
from dpt_bench.results.schema import CellId


@dataclass(frozen=True)
class SuitePages:
    """What the site shows of one suite: the short board, the one with every metric, and what both were made of."""

    sources: SuiteSources
    short: Board
    full: Board


def render_site(
    suites: Sequence[SuitePages],
    distributions: Mapping[CellName, Distribution],
    galleries: Mapping[CellId, SiteGallery],
    downloads: Sequence[str],
) -> dict[str, str]:
    """The pages by path below the site's folder.

    Args:
        suites: in the order of the index.
        distributions: per-image values, for the pages of models.
        galleries: pictures of measured cells.
        downloads: names of the files beside the index that hold boards in other formats.
    """
    pages = {"index.html": _index(suites, downloads)}
    for suite in suites:
        pages[suite_page(suite.short)] = _suite(suite, downloads)
    measured = {(row.model, row.checkpoint_sha256): None for suite in suites for row in suite.sources.measured}
    for model in measured:
        pages[model_page(model)] = _model(model, suites, distributions, galleries)
    return pages


def file_name(board: Board) -> str:
    """Name of a board's files, without ending."""
    return f"{_safe(board.suite)}-v{board.version}"


def suite_page(board: Board) -> str:
    return f"suites/{file_name(board)}.html"


def model_page(model: ModelId) -> str:
    name, checkpoint_sha256 = model
    return f"models/{_safe(name)}{'-' + checkpoint_sha256[:8] if checkpoint_sha256 else ''}.html"


def _safe(name: str) -> str:
    """The name where it can be a file's; else what is left of it, and a hash that tells it from others."""
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", name)[:80]
    return name if plain == name else f"{plain.strip('-')}-{sha256(name.encode()).hexdigest()[:8]}"


def _index(suites: Sequence[SuitePages], downloads: Sequence[str]) -> str:
    body = _template("index").render(suites=suites, root="", **_shared(downloads))
    lead = (
        "Every number is the mean over a dataset's images. A model measured here stands beside published numbers only "
        "where its image list is the published one, by checksum."
    )
    return _page("Leaderboard", body, lead)


def _suite(suite: SuitePages, downloads: Sequence[str]) -> str:
    sources = suite.sources
    entries = sources.suite.datasets if sources.suite else ()
    protocol = [
        (
            sources.recipes.get(entry.recipe),
            entry,
            protocol_words(entry, sources.recipes.get(entry.recipe), sources.metrics),
        )
        for entry in entries
    ]
    reasons = [reason for reason in load_expectations().reasons if reason.suite == suite.short.suite]
    body = _template("suite").render(suite=suite, protocol=protocol, reasons=reasons, root="../", **_shared(downloads))
    lead = f"Suite {suite.short.suite}, version {suite.short.version}."
    return _page(suite.short.title, body, lead, trail=True)


def _model(
    model: ModelId,
    suites: Sequence[SuitePages],
    distributions: Mapping[CellName, Distribution],
    galleries: Mapping[CellId, SiteGallery],
) -> str:
    chosen = [
        (suite, [row for row in suite.sources.measured if (row.model, row.checkpoint_sha256) == model])
        for suite in suites
    ]
    chosen = [(suite, rows) for suite, rows in chosen if rows]
    facts = chosen[0][1][0]
    body = _template("model").render(
        model=facts,
        suites=chosen,
        root="../",
        distribution=lambda row: distributions.get(_cell_name(row)),
        gallery=lambda row: galleries.get((*model, row.suite, row.suite_version, row.dataset)),
        column=_column_of,
        tiles=TILES,
        **_shared(()),
    )
    return _page(
        facts.model, body, f"Trained on {training_words(facts.trained_on)}." if facts.trained_on else "", trail=True
    )


def _cell_name(row: SummaryRow) -> CellName:
    return (row.suite, row.suite_version, row.model, row.checkpoint_sha256, row.dataset, row.metric)


def _column_of(board: Board, row: SummaryRow) -> Column:
    return next(column for column in board.columns if (column.dataset, column.metric) == (row.dataset, row.metric))


def _scales(section: Section) -> list[float]:
    """The largest number of each column, where its drawn axis ends."""
    columns = [[cell for row in section.rows if (cell := row.cells[place])] for place in range(len(section.columns))]
    return [max(max(cell.value, cell.high or 0.0) for cell in cells) or 1.0 for cells in columns]


def _interval_path(cell: Cell, scale: float) -> str:
    """SVG path of the whisker in a box of 100 x 9."""
    assert cell.low is not None
    assert cell.high is not None
    low, high = (100 * max(0.0, bound) / scale for bound in (cell.low, cell.high))
    return f"M{low:.1f} 2.5V6.5M{low:.1f} 4.5H{high:.1f}M{high:.1f} 2.5V6.5"


def _pad(cell: Cell, column: Column) -> int:
    """Digits that a number has fewer than its column, so that decimal points stand below each other."""
    return len(column.show(0.0).partition(".")[2]) - len(cell.text.partition(".")[2])


def _template(name: str) -> Template:
    return environment("dpt_bench.leaderboard").get_template(f"{name}.html.j2")


def _shared(downloads: Sequence[str]) -> dict[str, object]:
    return {
        "downloads": lambda board: [file for file in downloads if file.rpartition(".")[0] == file_name(board)],
        "section_title": section_title,
        "column_note": column_note,
        "interval_path": _interval_path,
        "scales_of": _scales,
        "pad": _pad,
        "training_words": training_words,
        "signed": lambda share: signed_percent(share).replace("-", "\N{MINUS SIGN}"),
        "model_page": model_page,
        "suite_page": suite_page,
        "file_name": file_name,
    }


def _page(title: str, body: str, lead: str, *, trail: bool = False) -> str:
    links = (Link("Leaderboard", "../index.html"),) if trail else ()
    footer = (
        f"Made by dpt_bench {package_version()}. Numbers are means over images; intervals are 95 % bootstrap intervals."
    )
    return render_page(Page(title, Markup(body), lead, links, footer))  # noqa: S704 - rendered with autoescape
