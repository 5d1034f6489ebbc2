"""Results folders and published numbers in, files out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from dpt_bench.core.errors import UnknownNameError, UsageError
from dpt_bench.leaderboard import csv, latex, markdown
from dpt_bench.leaderboard.board import Board
from dpt_bench.leaderboard.distribution import read_distributions
from dpt_bench.leaderboard.gallery import collect, copy_pictures
from dpt_bench.leaderboard.html import SuitePages, file_name, render_site
from dpt_bench.leaderboard.sources import gather
from dpt_bench.leaderboard.table import build_board
from dpt_bench.results.published import published_suites

TABLES: dict[str, tuple[str, Callable[[Board], str]]] = {
    "csv": ("csv", csv.write),
    "markdown": ("md", markdown.write),
    "latex": ("tex", latex.write),
}
FORMATS = (*TABLES, "html")


def render(
    results: Sequence[Path],
    out: Path,
    *,
    formats: Sequence[str] = FORMATS,
    from_memory: bool = False,
    reference: str | None = None,
    suites: Sequence[str] = (),
) -> list[Path]:
    """Write the boards of all suites that the results folders know, beside the published numbers.

    Args:
        results: folders written by an evaluation; none shows the published numbers alone.
        out: folder for `<suite>-v<version>.csv`, `.md`, `.tex`, and the site with its index.html.
        formats: of csv, markdown, latex, html.
        from_memory: also show published numbers that were not verified.
        reference: the model that improvements are relative to; by default a section's first row without a gap.
        suites: suites to show although nothing was measured; all published ones where `results` is empty too.

    Returns:
        The files, the index first.

    Raises:
        UsageError: an unknown format, suite or reference, a folder without results, an `out` that cannot be written.
        DataError: a results folder is damaged.
    """
    unknown = [name for name in formats if name not in FORMATS]
    if unknown:
        raise UnknownNameError("format", unknown[0], FORMATS)
    every_published = () if results or suites else tuple(published_suites())
    sources = gather(results, from_memory=from_memory, suites=(*suites, *every_published))
    boards = [build_board(entry, reference=reference) for entry in sources]
    models = {row.model for board in boards for section, _ in board.sections for row in section.rows}
    if reference is not None and reference not in models:
        raise UnknownNameError("reference model", reference, models)
    files = {
        f"{file_name(board)}.{TABLES[name][0]}": TABLES[name][1](board)
        for board in boards
        for name in formats
        if name in TABLES
    }
    galleries = collect(results) if "html" in formats else {}
    if "html" in formats:
        pages = [
            SuitePages(entry, board, build_board(entry, reference=reference, every_metric=True))
            for entry, board in zip(sources, boards, strict=True)
        ]
        files = render_site(pages, read_distributions(results), galleries, tuple(files)) | files
    try:
        written = [_write(out / name, text) for name, text in files.items()]
        copy_pictures(galleries, out)
    except OSError as error:
        raise UsageError(f"the board cannot be written: {error}", where=out, fix="choose another --out") from error
    return written


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="")
    return path
