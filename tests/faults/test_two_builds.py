"""Two builds into one place at the same time."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from dpt_bench.conversion import build
from dpt_bench.core.errors import UsageError
from dpt_bench.shards import open_shards, verify

MIX = """
version = 1
title = "The toy and another one"
citation = ""

[[members]]
recipe = "toy.toml"

[[members]]
recipe = "{other}.toml"
"""


@pytest.fixture
def twins(trial: Any) -> Path:
    """A mix of the trial's dataset and a copy of it, `twin`."""
    return _mix_with(trial, "twin")


def _mix_with(trial: Any, other: str) -> Path:
    shutil.copytree(trial.root, trial.raw / other)
    shutil.copy(trial.recipe, trial.folder / f"{other}.toml")
    mix: Path = trial.folder / f"{other}s.toml"
    mix.write_text(MIX.format(other=other))
    return mix


@pytest.mark.slow
def test_two_builds_of_the_same(trial: Any) -> None:
    """Both succeed; each shard is made by whoever comes first, or by both, with the same bytes."""
    trial.disturb("wait", times=20, seconds=0.1)
    for started in [trial.start_build() for _ in range(2)]:
        _, errors = trial.words_of(started)
        assert started.returncode == 0, errors
    trial.calm()
    trial.assert_as_undisturbed()
    trial.build()
    trial.assert_as_undisturbed()


def test_a_build_with_other_options_beside_one_that_runs(trial: Any) -> None:
    trial.disturb("hold", "train/a_004")
    with trial.start_build(executor="serial") as running:
        trial.wait_until_it_happens()
        with pytest.raises(UsageError, match="short_side: 384 there, 32 asked for"):
            trial.build(options=trial.options(short_side=32))
        trial.calm()
        _, errors = trial.words_of(running)
    assert running.returncode == 0, errors
    trial.assert_as_undisturbed()


@pytest.mark.slow
def test_two_builds_with_other_options_at_once(trial: Any) -> None:
    """One of them has the place, the other is refused; the winner's options are those of all shards."""
    builds = {side: trial.start_build(short_side=side) for side in (384, 32)}
    errors = {side: trial.words_of(started)[1] for side, started in builds.items()}
    ((winner, _),) = [(side, started) for side, started in builds.items() if started.returncode == 0]
    (loser,) = builds.keys() - {winner}
    assert f"short_side: {winner} there, {loser} asked for" in errors[loser]
    trial.assert_as_undisturbed(options=trial.options(short_side=winner))


def test_another_dataset_of_the_mix_with_other_options_beside_one_that_runs(trial: Any, twins: Path) -> None:
    """Nothing of the second dataset lies there yet, but the place is taken: all its datasets share their options."""
    trial.disturb("hold", "train/a_004")
    with trial.start_build(mix=twins, datasets=["toy"], executor="serial") as running:
        trial.wait_until_it_happens()
        with pytest.raises(UsageError, match="short_side: 384 there, 32 asked for"):
            build(twins, trial.raw, trial.out, datasets=["twin"], options=trial.options(short_side=32))
        assert not (trial.out / "twin").exists()
        build(twins, trial.raw, trial.out, datasets=["twin"], executor="serial", options=trial.options())
        assert open_shards(trial.out).datasets == ("twin",)
        trial.calm()
        _, errors = trial.words_of(running)
    assert running.returncode == 0, errors
    assert open_shards(trial.out).datasets == ("toy", "twin")
    assert verify(trial.out, workers=1).ok


@pytest.mark.slow
def test_two_datasets_with_other_options_at_once(trial: Any, twins: Path) -> None:
    """An empty place goes to one of them whole, although no file of one is a file of the other."""
    wishes = {"toy": 384, "twin": 32}
    builds = {name: trial.start_build(mix=twins, datasets=[name], short_side=side) for name, side in wishes.items()}
    errors = {name: trial.words_of(started)[1] for name, started in builds.items()}
    (winner,) = [name for name, started in builds.items() if started.returncode == 0]
    (loser,) = builds.keys() - {winner}
    assert f"short_side: {wishes[winner]} there, {wishes[loser]} asked for" in errors[loser]
    assert open_shards(trial.out).datasets == (winner,)
    assert not (trial.out / loser).exists()
    assert verify(trial.out, workers=1).ok


@pytest.mark.slow
def test_two_datasets_with_the_same_options_at_once(trial: Any, twins: Path) -> None:
    """The manifest tells of both, whichever is finished last."""
    for started in [trial.start_build(mix=twins, datasets=[name]) for name in ("toy", "twin")]:
        _, errors = trial.words_of(started)
        assert started.returncode == 0, errors
    assert open_shards(trial.out).datasets == ("toy", "twin")
    assert verify(trial.out, workers=1).ok


def test_a_smaller_mix_does_not_hide_what_is_there(trial: Any, twins: Path) -> None:
    build(twins, trial.raw, trial.out, executor="serial", options=trial.options())
    with pytest.raises(UsageError, match="are of twins, with twin, which toy has not"):
        trial.build()
    assert open_shards(trial.out).datasets == ("toy", "twin")


def test_another_mix_beside_one_that_runs(trial: Any, twins: Path) -> None:
    """The same options and a dataset in common, but each mix has one that the other has not."""
    cousins = _mix_with(trial, "cousin")
    trial.disturb("hold", "train/a_004")
    with trial.start_build(mix=twins, datasets=["toy"], executor="serial") as running:
        trial.wait_until_it_happens()
        with pytest.raises(UsageError, match="are of twins, with twin, which cousins has not"):
            build(cousins, trial.raw, trial.out, datasets=["cousin"], options=trial.options())
        assert not (trial.out / "cousin").exists()
        trial.calm()
        _, errors = trial.words_of(running)
    assert running.returncode == 0, errors
    assert open_shards(trial.out).manifest.mix == "twins"
    assert verify(trial.out, workers=1).ok


@pytest.mark.slow
def test_two_mixes_at_once(trial: Any, twins: Path) -> None:
    """An empty place goes to one of them, whichever dataset each begins with; the other is told whose it is."""
    mixes = {"twins": (twins, "twin"), "cousins": (_mix_with(trial, "cousin"), "cousin")}
    builds = {name: trial.start_build(mix=mix, datasets=[dataset]) for name, (mix, dataset) in mixes.items()}
    errors = {name: trial.words_of(started)[1] for name, started in builds.items()}
    (winner,) = [name for name, started in builds.items() if started.returncode == 0]
    (loser,) = builds.keys() - {winner}
    assert f"are of {winner}, with {mixes[winner][1]}, which {loser} has not" in errors[loser]
    shards = open_shards(trial.out)
    assert (shards.manifest.mix, shards.datasets) == (winner, (mixes[winner][1],))
    assert not (trial.out / mixes[loser][1]).exists()
    assert verify(trial.out, workers=1).ok


def test_a_larger_mix_takes_over_from_one_that_runs(trial: Any, twins: Path) -> None:
    """The smaller one is finished last, and the place stays the larger one's, with the datasets of both."""
    trial.disturb("hold", "train/a_004")
    with trial.start_build(executor="serial") as running:
        trial.wait_until_it_happens()
        build(twins, trial.raw, trial.out, datasets=["twin"], executor="serial", options=trial.options())
        assert open_shards(trial.out).manifest.mix == "twins"
        trial.calm()
        _, errors = trial.words_of(running)
    assert running.returncode == 0, errors
    shards = open_shards(trial.out)
    assert (shards.manifest.mix, shards.datasets) == ("twins", ("toy", "twin"))
    assert shards.manifest.missing == {}
    assert verify(trial.out, workers=1).ok
