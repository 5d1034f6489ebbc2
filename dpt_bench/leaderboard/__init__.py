"""The arm that shows: one board of results and published numbers as CSV, Markdown, LaTeX and a static site."""

from dpt_bench.leaderboard.render import FORMATS, render

__all__ = ["FORMATS", "render"]
