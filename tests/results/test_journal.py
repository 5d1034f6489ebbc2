"""The journal survives a kill at any byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from dpt_bench.core.errors import DataError
from dpt_bench.results import ResultStore
from dpt_bench.results.journal import Journal, read_journal


def test_results_come_back_exactly(tmp_path: Path, make_cell, make_result) -> None:
    cell = make_cell(model="<b>é\n", checkpoint_sha256=None)
    results = [make_result(cell, "a", 1 / 3, scale=-1e-17), make_result(cell, "b", None, skipped="why", message="x\ny")]
    with Journal(tmp_path) as journal:
        for result in results:
            journal.append(result)
    assert list(read_journal(journal.path)) == results


def test_a_line_is_with_the_operating_system_as_soon_as_it_is_appended(tmp_path: Path, make_cell, make_result) -> None:
    journal = Journal(tmp_path)
    journal.append(make_result(make_cell(), "a"))
    assert [result.key for result in read_journal(journal.path)] == ["a"]
    journal.close()


def test_a_journal_without_results_leaves_no_file(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal"):
        pass
    assert not list(tmp_path.iterdir())


def test_every_cut_keeps_the_whole_lines_before_it(tmp_path: Path, make_cell, make_result) -> None:
    with Journal(tmp_path) as journal:
        for key in "abc":
            journal.append(make_result(make_cell(), key))
    data = journal.path.read_bytes()
    ends = [place + 1 for place, byte in enumerate(data) if byte == ord("\n")]
    for cut in sorted({*range(0, len(data), 17), *ends, *(end - 1 for end in ends)}):
        journal.path.write_bytes(data[:cut])
        assert len(list(read_journal(journal.path))) == sum(end <= cut for end in ends)


def test_damage_within_a_journal_is_an_error_that_names_the_line(tmp_path: Path, make_cell, make_result) -> None:
    store = ResultStore(tmp_path)
    with store.journal() as journal:
        for key in "abc":
            journal.append(make_result(make_cell(), key))
    lines = journal.path.read_bytes().splitlines(keepends=True)
    journal.path.write_bytes(lines[0] + lines[1][:50] + b"\n" + lines[2])
    with pytest.raises(DataError, match="line 2"):
        store.results()


def test_two_processes_never_share_a_journal(tmp_path: Path) -> None:
    assert Journal(tmp_path).path != Journal(tmp_path).path
