"""Phrases that all writers share, so that a board says the same thing in every format."""

from __future__ import annotations

from functools import cache

from dpt_bench.core.catalog import MIXES
from dpt_bench.leaderboard.columns import Column


def section_title(*, comparable: bool) -> str:
    """Heading of a board's section."""
    return "Published image lists" if comparable else "This board's own runs"


def column_note(column: Column) -> str:
    """What stands below a dataset's name: metric, unit, direction."""
    unit = f", {column.printed_unit}" if column.printed_unit not in ("log", "log10") else ""
    return f"{column.metric_title}{unit} {column.arrow}"


def signed_percent(share: float) -> str:
    """An improvement in percent, with its sign; the reference itself is a plain zero."""
    return f"{100 * share:+.1f}" if round(100 * share, 1) else "0.0"


def training_words(recipes: str) -> str:
    """The datasets of a summary row's `trained_on`; by the name of their mix, such as "MIX 6", where they are one."""
    return _mixes().get(frozenset(recipes.split(" + ")), recipes)


@cache
def _mixes() -> dict[frozenset[str], str]:
    """Recipe names -> the short title of the mix that holds just these."""
    mixes = map(MIXES.load, MIXES.names())
    return {frozenset(member.recipe for member in mix.members): mix.short_title for mix in mixes if mix.short_title}
