"""Reading ahead and grouping by size."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from dpt_bench.core.kinds import DepthKind
from dpt_bench.core.sample import DepthMap, LabelMap, OrdinalPairs, Sample
from dpt_bench.evaluation import reading
from dpt_bench.evaluation.plan import DatasetPlan
from dpt_bench.evaluation.reading import Readable, Unreadable, batches, read_ahead, read_item


def readable(key: str, height: int, width: int) -> Readable:
    depth = np.ones((height, width), np.float32)
    target = DepthMap(depth, DepthKind.METRIC_DEPTH, depth > 0)
    return Readable(Sample(key, np.zeros((height, width, 3), np.uint8), target, ()), target)


def plan_with(read) -> DatasetPlan:
    class Reader:
        def read(self, root, recipe, row):
            return read(row)

    return DatasetPlan(None, None, None, Reader(), None, ())


def test_batches_hold_one_size_each_and_lose_nothing() -> None:
    items = [readable(f"{index}", 4 + index % 3, 6) for index in range(20)]
    found = list(batches(items, 4, lambda item: pytest.fail(str(item))))
    assert sorted(one.sample.key for batch in found for one in batch) == sorted(f"{index}" for index in range(20))
    for batch in found:
        assert len({one.sample.image.shape for one in batch}) == 1
        assert len(batch) <= 4


def test_large_images_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_HELD_PIXELS", 100)
    items = (readable(f"{index}", 10, 8) for index in range(5))
    assert [len(batch) for batch in batches(items, 8, lambda item: None)] == [2, 2, 1]


def test_unreadable_items_are_reported() -> None:
    told: list[Unreadable] = []
    found = list(batches([readable("a", 2, 2), Unreadable("b", "torn", "")], 1, told.append))
    assert [item.key for item in told] == ["b"]
    assert len(found) == 1


def test_rows_come_in_order_and_only_a_few_are_read_ahead() -> None:
    read: list[str] = []
    lock = threading.Lock()

    def slow(row):
        with lock:
            read.append(row["key"])
        time.sleep(0.002 * (int(row["key"]) % 3))
        return readable(row["key"], 2, 2).sample

    rows = [{"key": str(index)} for index in range(30)]
    keys = []
    for item in read_ahead(plan_with(slow), rows, threads=3):
        keys.append(item.sample.key)
        assert len(read) <= len(keys) + 6
    assert keys == [row["key"] for row in rows]


def test_missing_files_and_other_targets_are_unreadable() -> None:
    def missing(row):
        raise FileNotFoundError("no such image")

    item = read_item(plan_with(missing), {"key": "a"})
    assert (item.key, item.reason) == ("a", "unreadable-file")
    labels = LabelMap(np.zeros((2, 2), np.uint8))
    sample = Sample("b", np.zeros((2, 2, 3), np.uint8), labels, ())
    assert read_item(plan_with(lambda row: sample), {"key": "b"}).reason == "no-depth-target"


def test_point_pairs_are_a_target() -> None:
    pairs = OrdinalPairs(np.zeros((1, 2, 2)), np.zeros(1, bool))
    sample = Sample("a", np.zeros((2, 2, 3), np.uint8), pairs, ())
    item = read_item(plan_with(lambda row: sample), {"key": "a"})
    assert isinstance(item, Readable)
    assert item.target is pairs
