"""SIGKILL of a worker and of the driver; tests/faults/test_lost_node.py loses a machine."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest

from dpt_bench.core.errors import UsageError
from dpt_bench.shards import open_shards


@pytest.fixture(params=["processes", "ray"])
def executor(request: pytest.FixtureRequest) -> str:
    if request.param == "ray":
        request.getfixturevalue("ray_cluster")
    return str(request.param)


@pytest.mark.slow
def test_killed_workers(trial: Any, executor: str) -> None:
    """Two workers die in the middle of a shard; the build goes on without them, and a rerun has nothing to do."""
    trial.disturb("die", "train/a_004", times=2)
    assert trial.build(executor=executor).complete
    assert trial.happened() == 2
    trial.calm()
    trial.assert_as_undisturbed()
    trial.build(executor=executor)
    trial.assert_as_undisturbed()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["serial", "processes", "ray"])
def test_a_killed_driver(trial: Any, name: str) -> None:
    """The driver dies while shards are half made; workers that outlive it do no harm to the rerun."""
    trial.disturb("hold", "train/b_005")
    with trial.start_build(executor=name, environment={"RAY_ADDRESS": ""}, start_new_session=True) as driver:
        trial.wait_until_it_happens()
        driver.send_signal(signal.SIGKILL)
    with pytest.raises(UsageError, match="no finished shards"):
        open_shards(trial.out)
    trial.build(executor="processes")
    trial.calm()  # only now a worker that has outlived its driver goes on with a shard that is already there
    trial.wait_until_all_have_left(driver)
    trial.build(executor="processes")  # a worker that was killed after the rerun has left its temporary file behind
    trial.assert_as_undisturbed()


@pytest.mark.slow
def test_everything_is_killed_again_and_again(trial: Any) -> None:
    """Driver and workers die together (a power cut, an OOM killer), each time after a little more work."""
    for number, key in enumerate(("train/a_000", "train/b_003", "val/a_000")):
        trial.disturb("hold", key)
        with trial.start_build(start_new_session=True) as driver:
            if trial.happens_in(driver):  # on a busy machine the other worker may have made that shard before
                os.killpg(driver.pid, signal.SIGKILL)
        for mark in trial.folder.glob("happened_*"):
            mark.rename(mark.with_name(f"past_{number}"))
    trial.calm()
    trial.build(executor="processes")
    trial.assert_as_undisturbed()
