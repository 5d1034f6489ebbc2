from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from dpt_bench.leaderboard import markdown
from dpt_bench.leaderboard.table import build_board


def test_numbers_intervals_and_marks(published, measured, sources) -> None:
    rows = [published("A", "kitti", "0.089"), published("seen", "kitti", "0.050", trained_on_dataset=True)]
    text = markdown.write(build_board(sources(rows, [measured("mine", "kitti", 0.2)])))
    assert "| A | **8.9** | MIX 6 | Paper, Table 1 |" in text
    assert "| seen | 5.0† |" in text
    assert "| mine | 20.0 [18.0, 22.0] | redweb | dpt\\_bench 0.1.0 |" in text
    assert "## toy (`toy`, version 1)" in text
    assert "### Published image lists" in text
    assert "own runs" not in text


def test_own_runs_are_a_section_of_their_own_with_their_label(published, measured, sources) -> None:
    text = markdown.write(
        build_board(sources([published("A", "kitti", "0.1")], [measured("w", "kitti", 0.2, label="sample-world")]))
    )
    first, second = text.split("### This board's own runs")
    assert "| A |" in first
    assert "| w |" in second
    assert "sample-world" in second


def test_the_best_of_those_who_all_trained_on_it_keeps_its_dagger(published, sources) -> None:
    rows = [published(name, "nyu", value, trained_on_dataset=True) for name, value in (("A", "0.1"), ("B", "0.2"))]
    assert "| **10**† |" in markdown.write(build_board(sources(rows)))


def test_improvement_names_its_reference(published, sources) -> None:
    rows = [published(m, d, v) for m, v in (("A", "0.2"), ("B", "0.1")) for d in ("kitti", "nyu")]
    text = markdown.write(build_board(sources(rows)))
    assert "Improvement over A, %" in text
    assert "| +50.0 | MIX 6 |" in text
    assert "| 0.0 | MIX 6 |" in text


def test_markup_in_names_is_text(published, sources) -> None:
    name = "a|b <script>alert(1)</script> *x* `y` [z](javascript:q)\nnext"
    text = markdown.write(build_board(sources([published(name, "kitti", "0.1")])))
    assert "<script" not in text
    assert r"a\|b &lt;script&gt;alert(1)&lt;/script&gt; \*x\* \`y\` \[z\](javascript:q) next" in text


@settings(deadline=None)
@given(st.text())
def test_escaped_text_stays_in_its_cell(text: str) -> None:
    shown = markdown.escape(text)
    assert "\n" not in shown
    assert not re.search(r"[<>]", shown)
    assert not re.search(r"(?<!\\)(?:\\\\)*\|", shown)
