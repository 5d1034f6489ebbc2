from __future__ import annotations

import pytest

from dpt_bench.conversion.report import COLUMNS, BuildReport, DatasetRow, human_size


def _report(*rows: DatasetRow, missing_is_fine: bool = False) -> BuildReport:
    return BuildReport("toys", "/out", rows, "1 of 2", missing_is_fine)


def test_the_table_has_a_header_and_a_row_a_dataset() -> None:
    row = DatasetRow("toy", "built", {"train": 12345, "val": 0}, {"flat": 2, "corrupt-file": 1}, 13, 1_234_567_890)
    missing = DatasetRow("absent", "missing", note="get it there")
    assert _report(row, missing).table() == [
        COLUMNS,
        ("toy", "built", "12,345 train", "2 flat, 1 corrupt-file", "13", "1.2 GB", ""),
        ("absent", "missing", "", "", "", "", "get it there"),
    ]


@pytest.mark.parametrize(
    ("status", "fine", "complete"),
    [
        ("built", False, True),
        ("present", False, True),
        ("planned", False, True),
        ("missing", False, False),
        ("missing", True, True),
        ("failed", False, False),
        ("failed", True, False),
    ],
)
def test_when_a_build_is_complete(status: str, fine: bool, complete: bool) -> None:
    row = DatasetRow("toy", status)  # type: ignore[arg-type]
    assert _report(row, missing_is_fine=fine).complete is complete


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (2.5e9, "2.5 GB"), (3e15, "3000.0 TB")]
)
def test_sizes_for_people(size: float, text: str) -> None:
    assert human_size(size) == text
