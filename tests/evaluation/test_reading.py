"""Reading ahead and grouping by size."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from dpt_bench.core.kinds import DepthKind
from dpt_bench.core.sample import Camera, DepthMap, LabelMap, OrdinalPairs, Sample
from dpt_bench.core.suite import ResizeRule, SuiteDataset
from dpt_bench.evaluation import reading
from dpt_bench.evaluation.plan import DatasetPlan
from dpt_bench.evaluation.reading import Readable, Unreadable, batches, cropped, read_ahead, read_item
from dpt_bench.scoring.pixels import scored_pixels


def readable(key: str, height: int, width: int) -> Readable:
    depth = np.ones((height, width), np.float32)
    target = DepthMap(depth, DepthKind.METRIC_DEPTH, depth > 0)
    return Readable(Sample(key, np.zeros((height, width, 3), np.uint8), target, ()), target)


PROTOCOL = SuiteDataset(recipe="mine", split="test", metrics=("absrel",), resize=ResizeRule(side="longer"))


def plan_with(read) -> DatasetPlan:
    class Reader:
        def read(self, root, recipe, row):
            return read(row)

    return DatasetPlan(None, PROTOCOL, None, Reader(), None, ())


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


def kitti_sample(height: int = 375, width: int = 1242) -> Sample:
    generator = np.random.default_rng(0)
    depth = DepthMap(
        generator.uniform(1, 80, (height, width)).astype(np.float32), DepthKind.METRIC_DEPTH,
        generator.random((height, width)) < 0.3, np.zeros((height, width), bool),
    )  # fmt: skip
    image = generator.integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Sample("a", image, depth, (), Camera(700, 700, 620, 180))


@pytest.mark.parametrize(("height", "width"), [(375, 1242), (370, 1226), (352, 1216)])
@pytest.mark.parametrize(("frame", "crop"), [("whole", "garg"), ("input", "eigen")])
def test_the_input_crop_of_kitti(height: int, width: int, frame: str, crop: str) -> None:
    """KB crop: the lower 352 rows, the middle 1216 columns; BTS masks the whole image, Marigold what is left of it."""
    protocol = PROTOCOL.model_copy(update={"input_crop": "kitti_benchmark", "crop": crop, "crop_frame": frame})
    whole = kitti_sample(height, width)
    sample = cropped(whole, protocol)
    top, left = height - 352, int((width - 1216) / 2)
    assert sample.image.shape == (352, 1216, 3)
    np.testing.assert_array_equal(sample.image, whole.image[top:, left : left + 1216])
    np.testing.assert_array_equal(sample.target.values, whole.target.values[top:, left : left + 1216])
    assert sample.target.sky.shape == (352, 1216)
    assert (sample.camera.cx, sample.camera.cy) == (620 - left, 180 - top)
    expected = np.zeros((height, width), bool)
    if frame == "whole":
        rows, columns = (0.40810811, 0.99189189, height), (0.03594771, 0.96405229, width)
        expected[int(rows[0] * height) : int(rows[1] * height), int(columns[0] * width) : int(columns[1] * width)] = (
            True
        )
        expected = expected[top:, left : left + 1216]
    else:
        expected = expected[top:, left : left + 1216]
        expected[int(0.3324324 * 352) : int(0.91351351 * 352), int(0.0359477 * 1216) : int(0.96405229 * 1216)] = True
    np.testing.assert_array_equal(
        scored_pixels(sample.target, protocol), whole.target.valid[top:, left : left + 1216] & expected
    )
    assert cropped(whole, PROTOCOL) is whole


def test_an_image_smaller_than_its_input_crop_is_a_row() -> None:
    protocol = PROTOCOL.model_copy(update={"input_crop": "kitti_benchmark"})
    plan = DatasetPlan(None, protocol, None, plan_with(lambda row: kitti_sample(300, 1242)).reader, None, ())
    item = read_item(plan, {"key": "a"})
    assert (item.key, item.reason) == ("a", "crop-mismatch")
