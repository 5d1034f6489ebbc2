"""Two builds into one place at the same time."""

from __future__ import annotations

from typing import Any

import pytest

from dpt_bench.core.errors import UsageError


@pytest.mark.slow
def test_two_builds_of_the_same(trial: Any) -> None:
    """Both succeed; each shard is made by whoever comes first, or by both, with the same bytes."""
    trial.disturb("wait", times=20, seconds=0.1)
    builds = [trial.start_build() for _ in range(2)]
    for build in builds:
        _, errors = build.communicate(timeout=120)
        assert build.returncode == 0, errors
    trial.calm()
    trial.assert_as_undisturbed()
    trial.build()
    trial.assert_as_undisturbed()


def test_a_build_with_other_options_beside_one_that_runs(trial: Any) -> None:
    trial.disturb("wait", "train/a_004", seconds=2)
    with trial.start_build(executor="serial") as build:
        trial.wait_until_it_happens()
        with pytest.raises(UsageError, match="short_side: 384 there, 32 asked for"):
            trial.build(options=trial.options(short_side=32))
        _, errors = build.communicate(timeout=60)
    assert build.returncode == 0, errors
    trial.calm()
    trial.assert_as_undisturbed()


@pytest.mark.slow
def test_two_builds_with_other_options_at_once(trial: Any) -> None:
    """One of them has the place, the other is refused; the winner's options are those of all shards."""
    builds = {side: trial.start_build(short_side=side) for side in (384, 32)}
    errors = {side: build.communicate(timeout=120)[1] for side, build in builds.items()}
    ((winner, _),) = [(side, build) for side, build in builds.items() if build.returncode == 0]
    (loser,) = builds.keys() - {winner}
    assert f"short_side: {winner} there, {loser} asked for" in errors[loser]
    trial.assert_as_undisturbed(options=trial.options(short_side=winner))
