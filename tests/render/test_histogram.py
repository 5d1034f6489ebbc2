from __future__ import annotations

import re

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from dpt_bench.render.histogram import Histogram, count


def test_the_highest_bin_fills_the_box_and_an_empty_one_lies_on_the_axis() -> None:
    shape = Histogram(np.array([2, 0, 4, 1]), 0.0, 1.0)
    assert shape.outline() == "M0 72V36.0H80.0V72.0H160.0V0.0H240.0V54.0H320.0V72Z"
    assert (shape.position(-1.0), shape.position(0.25), shape.position(9.0)) == (0.0, 80.0, 320.0)


def test_no_counts_at_all_are_a_flat_line() -> None:
    assert set(re.findall(r"V([\d.]+)", Histogram(np.zeros(3), 0.0, 1.0).outline())) == {"72.0", "72"}


def test_values_outside_are_counted_at_the_ends_and_a_range_without_width_gets_one() -> None:
    shape = count(np.array([-5.0, 0.5, 7.0]), 0.0, 1.0, 4)
    assert shape.counts.tolist() == [1, 0, 1, 1]
    flat = count(np.zeros(4), 0.0, 0.0, 4)
    assert (flat.low, flat.high, flat.counts.tolist()) == (0.0, 1.0, [4, 0, 0, 0])
    assert count(np.zeros(4), 0.0, 5e-324, 4).high == 1.0, "four bins have no room in it"


@settings(deadline=None, max_examples=50)
@given(hnp.arrays(np.float64, st.integers(0, 50), elements=st.floats(-1e6, 1e6)), st.floats(-10, 10), st.floats(0, 10))
def test_every_value_is_counted_once_and_the_drawing_stays_in_its_box(
    values: np.ndarray, low: float, span: float
) -> None:
    shape = count(values, low, low + span, 8)
    assert shape.counts.sum() == values.size
    assert all(0 <= float(number) <= 320 for number in re.findall(r"[\d.]+", shape.outline()))
