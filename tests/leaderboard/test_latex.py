from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from dpt_bench.leaderboard import latex
from dpt_bench.leaderboard.table import build_board


def test_booktabs_best_in_bold_dagger_and_interval(published, measured, sources) -> None:
    rows = [published("A", "kitti", "0.089"), published("seen", "kitti", "0.050", trained_on_dataset=True)]
    text = latex.write(build_board(sources(rows, [measured("mine", "kitti", 0.2)])))
    assert r"A & MIX 6 & \textbf{8.9} \\" in text
    assert r"seen & MIX 6 & 5.0\rlap{$^\dagger$} \\" in text
    assert r"mine & redweb & 20.0 {\scriptsize [18.0, 22.0]} \\" in text
    assert r"\shortstack[r]{kitti\\absrel, \% $\downarrow$}" in text
    assert [text.count(rule) for rule in (r"\toprule", r"\midrule", r"\bottomrule")] == [1, 1, 1]
    assert "% toy, version 1; the preamble needs \\usepackage{booktabs,graphicx}" in text


def test_the_best_of_those_who_all_trained_on_it_keeps_its_dagger(published, sources) -> None:
    rows = [published(name, "nyu", value, trained_on_dataset=True) for name, value in (("A", "0.1"), ("B", "0.2"))]
    assert r"\textbf{10}\rlap{$^\dagger$}" in latex.write(build_board(sources(rows)))


def test_a_table_for_each_section(published, measured, sources) -> None:
    rows = [measured("w", "kitti", 0.2, label="sample-world")]
    text = latex.write(build_board(sources([published("A", "kitti", "0.1")], rows)))
    assert text.count(r"\begin{tabular}") == 2
    assert r"\label{tab:toy-v1}" in text
    assert r"\label{tab:toy-v1-own}" in text
    assert r"w {\scriptsize (sample-world)}" in text


def test_long_remarks_stand_below_the_name(measured, sources) -> None:
    rows = [measured("m", "kitti", 0.2, resized_by="own", resize_rule="longer 384, with 128 pixels for 384, and so on")]
    text = latex.write(build_board(sources([], rows)))
    assert r"\shortstack[l]{m\\{\scriptsize (resized by the model: longer 384, with 128 pixels" in text


def test_every_line_has_the_same_number_of_cells(published, sources) -> None:
    rows = [published("A & B", d, "0.1") for d in ("kitti", "nyu")] + [published("C", "kitti", "0.2")]
    text = latex.write(build_board(sources(rows)))
    body = text[text.index(r"\toprule") : text.index(r"\bottomrule")]
    lines = [line for line in body.splitlines() if line.endswith(r"\\")]
    assert {len(re.findall(r"(?<!\\)&", line)) for line in lines} == {4}
    assert re.search(r"\\begin\{tabular\}\{llrrr\}", text)


def test_special_characters_are_escaped() -> None:
    assert latex.escape("50% of_all {a} & $b #1 ~^\\") == (
        r"50\% of\_all \{a\} \& \$b \#1 \textasciitilde{}\textasciicircum{}\textbackslash{}"
    )
    assert latex.escape("δ > 1.25² ↓") == r"$\delta$ \textgreater{} 1.25$^2$ $\downarrow$"
    assert latex.escape("[a]*\nb") == "{[}a]{*} b"


@settings(deadline=None)
@given(st.text())
def test_escaped_text_is_balanced_and_cannot_end_a_row(text: str) -> None:
    shown = latex.escape(text)
    plain = re.sub(r"\\[{}]", "", shown)
    assert plain.count("{") == plain.count("}")
    assert "\\\\" not in shown
    assert not re.search(r"(?<!\\)[&%#]", shown)
