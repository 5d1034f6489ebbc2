from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpt_bench.core.errors import DataError
from dpt_bench.loading.order import Order

SHARDS = st.lists(st.integers(1, 7), min_size=1, max_size=9)


def shard_of_row(sizes: list[int]) -> np.ndarray:
    return np.repeat(np.arange(len(sizes)), sizes)


@settings(deadline=None, max_examples=40)
@given(sizes=SHARDS, window=st.integers(1, 4), seed=st.integers(0, 3))
def test_every_epoch_holds_every_row_once(sizes: list[int], window: int, seed: int) -> None:
    order = Order("redweb", seed, shard_of_row(sizes), window)
    for epoch in range(3):
        rows = [order.row(epoch * order.size + place) for place in range(order.size)]
        assert sorted(rows) == list(range(order.size))


@settings(deadline=None, max_examples=40)
@given(sizes=SHARDS, window=st.integers(1, 4))
def test_no_more_than_a_window_of_shards_is_open(sizes: list[int], window: int) -> None:
    shards = shard_of_row(sizes)
    order = Order("redweb", 0, shards, window)
    visited = [int(shards[order.row(place)]) for place in range(order.size)]
    spans = [(visited.index(shard), len(visited) - visited[::-1].index(shard)) for shard in set(visited)]
    for place in range(len(visited)):
        assert sum(first <= place < last for first, last in spans) <= window


def test_any_position_is_found_without_those_before_it() -> None:
    shards = shard_of_row([5, 5, 5, 3])
    walked = Order("redweb", 1, shards, 2)
    rows = [walked.row(count) for count in range(60)]
    for count in (59, 0, 31, 17):
        assert Order("redweb", 1, shards, 2).row(count) == rows[count]


def test_epochs_seeds_and_datasets_have_orders_of_their_own() -> None:
    shards = shard_of_row([20, 20])
    orders = [
        tuple(Order(name, seed, shards, 2).row(epoch * 40 + place) for place in range(40))
        for name, seed, epoch in (("a", 0, 0), ("a", 0, 1), ("a", 1, 0), ("b", 0, 0))
    ]
    assert len(set(orders)) == 4


def test_rows_of_a_shard_need_not_lie_together() -> None:
    order = Order("redweb", 0, np.array([1, 0, 1, 0, 2]), 1)
    assert sorted(order.row(place) for place in range(5)) == [0, 1, 2, 3, 4]


def test_an_empty_dataset_is_refused() -> None:
    with pytest.raises(DataError, match="no samples"):
        Order("redweb", 0, np.array([], dtype=np.int64), 2)


def test_a_position_deep_in_a_large_dataset_is_found_at_once() -> None:
    order = Order("wsvd", 0, shard_of_row([1000] * 1400), 8)
    assert 0 <= order.row(5 * order.size + 777_777) < order.size
    assert len(order._windows) == 1, "one window was shuffled, not an epoch"
