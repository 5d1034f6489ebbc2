from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from dpt_bench.core.errors import UsageError
from dpt_bench.leaderboard.distribution import describe, read_distributions


def test_every_cell_of_a_folder_has_its_own(tmp_path: Path, write_results: Callable[..., Path]) -> None:
    folder = write_results(tmp_path, {"A": {"kitti": 0.1, "nyu": 0.4}, "B": {"kitti": 0.2}})
    found = read_distributions([folder])
    assert {(name[2], name[4], name[5]) for name in found} == {
        (model, dataset, metric)
        for model, dataset in (("A", "kitti"), ("A", "nyu"), ("B", "kitti"))
        for metric in ("delta_above_1_25", "absrel")
    }
    first = found["midas", 1, "A", None, "kitti", "absrel"]
    assert first.counts.sum() == 19  # of 20 images one is skipped
    assert 0.05 <= first.median <= 0.15


def test_a_folder_without_results_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no results here"):
        read_distributions([tmp_path])


def test_a_few_failures_do_not_flatten_the_rest() -> None:
    shape = describe(np.r_[np.linspace(0.0, 1.0, 999), 1000.0])
    assert shape.high < 2.0
    assert shape.counts.sum() == 1000
    assert shape.beyond == 10
    assert shape.counts[-1] >= shape.beyond


def test_equal_values_and_a_single_value_are_drawn() -> None:
    for values in (np.full(5, 0.25), np.zeros(4), np.array([0.3])):
        shape = describe(values)
        assert shape.counts.sum() == values.size
        assert np.isfinite(shape.position(float(values[0])))


@settings(deadline=None)
@given(hnp.arrays(np.float64, st.integers(1, 200), elements=st.floats(0, 1e6, width=32)))
def test_drawings_stay_in_their_box(values: np.ndarray) -> None:
    shape = describe(values)
    assert shape.counts.sum() == values.size
    numbers = [float(number) for number in re.findall(r"[\d.]+", shape.outline())]
    assert all(0 <= number <= 320 for number in numbers)
    assert all(0 <= shape.position(value) <= 320 for value in (shape.median, float(values.min()), float(values.max())))
