from __future__ import annotations

import time

import pytest
import torch

from dpt_bench.training.distributed import World
from dpt_bench.training.learner import Outcome
from dpt_bench.training.meter import Clock, Meter

ALONE = World(0, 1, torch.device("cpu"))


def test_means_by_dataset_over_the_steps_since_the_last_call() -> None:
    meter = Meter(("a", "b", "c"), ALONE, 0.001)
    meter.add(Outcome(torch.tensor([1.0, 2.0]), torch.tensor([0, 1]), ("a", "b"), 3.0, finite=True), waited_s=0.0)
    meter.add(Outcome(torch.tensor([4.0, 5.0]), torch.tensor([0, 0]), ("b",), 5.0, finite=True), waited_s=0.0)
    facts = meter.facts()
    assert facts["loss"] == 3.0
    assert facts["loss_by_dataset"] == {"a": 1.0, "b": pytest.approx(11 / 3)}
    assert facts["gradient_norm"] == 4.0
    assert facts["images_per_second"] > 0
    assert facts["mfu"] == pytest.approx(0.001 * facts["images_per_second"])
    assert facts["memory_gib"] > 0
    assert meter.facts()["loss_by_dataset"] == {}


def test_waiting_for_data_is_a_share_of_the_time_without_validations() -> None:
    meter = Meter(("a",), ALONE, 0.0)
    began = time.monotonic()
    time.sleep(0.05)
    meter.add(Outcome(torch.tensor([1.0]), torch.tensor([0]), ("a",), 1.0, finite=True), waited_s=0.04)
    time.sleep(0.2)
    meter.skip(0.2)
    facts = meter.facts()
    learning = time.monotonic() - began - 0.2
    assert 0.04 / learning * 0.5 < facts["data_wait_share"] < 1
    assert facts["images_per_second"] == pytest.approx(1 / learning, rel=0.5)


def test_the_time_left_counts_validations_and_not_the_first_steps() -> None:
    clock = Clock()
    for seconds in (60.0, 9.0, 9.0):
        clock.step(seconds)
    assert clock.left_s(10, 1) is None
    clock.step(2.0)
    clock.step(4.0)
    assert clock.left_s(10, 2) == 30.0
    clock.validation(5.0)
    assert clock.left_s(10, 2) == 40.0


def test_the_speed_is_that_of_the_latest_steps() -> None:
    clock = Clock()
    for seconds in (*(1.0,) * 10, *(3.0,) * Clock.WINDOW):
        clock.step(seconds)
    assert clock.left_s(10, 0) == 30.0
