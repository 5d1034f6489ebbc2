"""The board as a LaTeX table: booktabs, best in bold, 95 % intervals small, a dagger where trained on the dataset."""

from __future__ import annotations

from dpt_bench.leaderboard.board import Board, Cell, Row, Section
from dpt_bench.leaderboard.columns import Column
from dpt_bench.leaderboard.wording import column_note, section_title, signed_percent, training_words

LONGEST_BESIDE = 40
"""Letters of remarks that stand beside a model's name; longer ones stand below it, so that the table stays readable."""
_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "%": r"\%",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "`": r"\textasciigrave{}",
    "[": "{[}",  # [ and * would be read as options of the row's end before them
    "*": "{*}",
    "δ": r"$\delta$",
    "²": r"$^2$",
    "³": r"$^3$",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "–": "--",
}
_TABLE = r"""\begin{{table*}}
\centering
\caption{{{title}: {section}. Best in bold; $^\dagger$ trained on the dataset, ranked only where all did;
95\,\% bootstrap intervals in brackets.}}
\smallskip
\label{{tab:{label}}}
\resizebox{{\textwidth}}{{!}}{{%
\begin{{tabular}}{{ll{alignment}}}
\toprule
{heads} \\
\midrule
{body}
\bottomrule
\end{{tabular}}}}
\end{{table*}}
"""


def write(board: Board) -> str:
    """The LaTeX source, one floating table a section; special characters are escaped."""
    preamble = r"\usepackage{booktabs,graphicx} and \usepackage[T1]{fontenc}"
    head = f"% {_plain(board.suite)}, version {board.version}; the preamble needs {preamble}\n"
    return head + "\n".join(_table(board, section) for section, _ in board.sections)


def escape(text: str) -> str:
    """Text that LaTeX prints as it is."""
    return "".join(_SPECIAL.get(letter, letter) for letter in " ".join(text.split()))


def _table(board: Board, section: Section) -> str:
    comparable = section is board.published
    heads = ["Model", "Trained on"]
    heads += [
        rf"\shortstack[r]{{{escape(column.heading)}\\{escape(column_note(column))}}}" for column in section.columns
    ]
    if section.reference:
        heads.append(rf"\shortstack[r]{{Improvement over\\{escape(section.reference)}, \%}}")
    return _TABLE.format(
        title=escape(board.title),
        section=escape(section_title(comparable=comparable)),
        label=f"{_plain(board.suite)}-v{board.version}{'' if comparable else '-own'}",
        alignment="r" * (len(heads) - 2),
        heads=" & ".join(heads),
        body="\n".join(_line(section, row) for row in section.rows),
    )


def _line(section: Section, row: Row) -> str:
    cells = [_cell(cell, column) for cell, column in zip(row.cells, section.columns, strict=True)]
    if section.reference:
        cells.append("--" if row.improvement is None else f"${signed_percent(row.improvement)}$")
    return " & ".join([_model(row), escape(training_words(row.trained_on)), *cells]) + r" \\"


def _model(row: Row) -> str:
    remarks = ", ".join(remark for remark in (row.input, *row.labels, "" if row.verified else "from memory") if remark)
    if not remarks:
        return escape(row.model)
    below = rf"{{\scriptsize ({escape(remarks)})}}"
    one_line = len(remarks) <= LONGEST_BESIDE
    return f"{escape(row.model)} {below}" if one_line else rf"\shortstack[l]{{{escape(row.model)}\\{below}}}"


def _cell(cell: Cell | None, column: Column) -> str:
    if cell is None:
        return "--"
    text = rf"\textbf{{{cell.text}}}" if cell.best else cell.text
    text += r"\rlap{$^\dagger$}" if cell.trained_on_dataset else ""
    if cell.low is not None and cell.high is not None:
        text += rf" {{\scriptsize [{column.show(cell.low)}, {column.show(cell.high)}]}}"
    return text


def _plain(name: str) -> str:
    return "".join(letter if letter.isascii() and (letter.isalnum() or letter in "-_") else "-" for letter in name)
