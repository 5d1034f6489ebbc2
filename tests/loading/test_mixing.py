from __future__ import annotations

import numpy as np
import pytest

from dpt_bench.core.errors import DataError, UnknownNameError, UsageError
from dpt_bench.loading.mixing import Position, Slot, build_mixture, position_state, restored_position

NAMES = ("megadepth", "redweb", "tartanair")


def test_datasets_are_drawn_uniformly_for_every_sample() -> None:
    mixture = build_mixture(NAMES, None, seed=0, batch_size=16)
    draws = np.concatenate([mixture.draw(step) for step in range(1000)])
    assert np.allclose(np.bincount(draws) / 16_000, 1 / 3, atol=0.015)
    assert len({tuple(np.bincount(mixture.draw(step), minlength=3)) for step in range(50)}) > 10, "not a fixed quota"


def test_weights_are_relative() -> None:
    mixture = build_mixture(NAMES, {"megadepth": 2.0, "redweb": 1.0, "tartanair": 1.0}, seed=3, batch_size=10)
    assert mixture.probabilities == (0.5, 0.25, 0.25)
    draws = np.concatenate([mixture.draw(step) for step in range(1000)])
    assert np.allclose(np.bincount(draws) / 10_000, (0.5, 0.25, 0.25), atol=0.02)


@pytest.mark.parametrize("weights", [None, {"megadepth": 5.0, "redweb": 2.0, "tartanair": 1.0}])
def test_a_quota_is_kept_in_every_batch(weights: dict[str, float] | None) -> None:
    mixture = build_mixture(NAMES, weights, seed=0, batch_size=16, quota=True)
    draws = [mixture.draw(step) for step in range(600)]
    counts = np.array([np.bincount(draw, minlength=3) for draw in draws])
    assert (np.abs(counts - 16 * np.array(mixture.probabilities)) < 1).all(), "a sample more or less at most"
    assert np.allclose(counts.mean(0), 16 * np.array(mixture.probabilities), atol=0.1)
    assert len({tuple(draw[:4]) for draw in draws}) > 20, "in random places, so that every rank gets all"


def test_a_draw_is_a_function_of_seed_and_step() -> None:
    mixture = build_mixture(NAMES, None, seed=0, batch_size=32)
    assert np.array_equal(mixture.draw(7), mixture.draw(7))
    assert not np.array_equal(mixture.draw(7), mixture.draw(8))
    assert not np.array_equal(mixture.draw(7), build_mixture(NAMES, None, seed=1, batch_size=32).draw(7))


@pytest.mark.parametrize("weights", [{"redweb": 1.0}, {"megadepth": 0.0, "redweb": 1.0, "tartanair": 1.0}])
def test_a_dataset_without_weight_is_refused(weights: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="positive weight"):
        build_mixture(NAMES, weights, seed=0, batch_size=4)


def test_a_weight_without_dataset_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="redweb"):
        build_mixture(NAMES, {"redwep": 1.0}, seed=0, batch_size=4)


def test_no_dataset_is_refused() -> None:
    with pytest.raises(UsageError, match="no dataset"):
        build_mixture((), None, seed=0, batch_size=4)


def test_slots_count_on_within_a_batch() -> None:
    position = Position(4, (10, 0, 5))
    draws = np.array([0, 2, 0, 1])
    assert position.slots(draws) == [Slot(0, 10), Slot(2, 5), Slot(0, 11), Slot(1, 0)]
    assert position.after(draws) == Position(5, (12, 1, 6))


def test_a_state_survives_and_gains_datasets() -> None:
    small = build_mixture(NAMES[:2], None, seed=5, batch_size=4)
    state = position_state(Position(9, (20, 16)), small)
    assert restored_position(state, small) == Position(9, (20, 16))
    large = build_mixture(("tartanair", "redweb", "megadepth"), None, seed=5, batch_size=8)
    assert restored_position(state, large) == Position(9, (0, 16, 20))


@pytest.mark.parametrize("state", [{}, {"step": "x", "seed": 5, "counts": {}}, {"step": 1, "seed": 6, "counts": {}}])
def test_a_state_that_does_not_fit_is_refused(state: dict[str, object]) -> None:
    with pytest.raises(DataError):
        restored_position(state, build_mixture(NAMES, None, seed=5, batch_size=4))
