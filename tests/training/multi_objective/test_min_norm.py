from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchjd.aggregation import MGDAWeighting

from dpt_bench.training.multi_objective.min_norm import min_norm_weights, optimality_gap

KINDS = (
    "random",
    "one side",
    "norms",
    "wild norms",
    "opposite",
    "zero",
    "parallel",
    "nearly parallel",
    "tiny",
    "equal",
)


def vectors(kind: str, seed: int, count: int, length: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    drawn = rng.normal(size=(count, length))
    if kind == "one side":
        return drawn + 10.0
    if kind == "norms":
        return drawn * 10.0 ** rng.uniform(-1, 1, (count, 1))
    if kind == "wild norms":
        return drawn * 10.0 ** rng.uniform(-9, 9, (count, 1))
    if kind == "opposite":
        drawn[-1] = -rng.uniform(0.1, 10) * drawn[0]
    if kind == "zero":
        drawn[rng.integers(count)] = 0
    if kind == "parallel":
        return np.outer(rng.uniform(0.1, 10, count), drawn[0])
    if kind == "nearly parallel":
        return drawn[:1] + 10.0 ** rng.uniform(-12, -2) * drawn
    if kind == "tiny":
        return 1e-140 * drawn
    if kind == "equal":
        return np.repeat(drawn[:1], count, axis=0)
    return drawn


def by_enumeration(gram: np.ndarray) -> float:
    """The smallest squared norm over all supports: the textbook answer for a few vectors."""
    best = gram.diagonal().min()
    for size in range(2, len(gram) + 1):
        for support in itertools.combinations(range(len(gram)), size):
            part = gram[np.ix_(support, support)]
            if np.linalg.cond(part) > 1e12:
                continue
            weights = np.linalg.solve(part, np.ones(size))
            weights /= weights.sum()
            if (weights >= 0).all():
                best = min(best, weights @ part @ weights)
    return float(best)


@settings(deadline=None, max_examples=250)
@given(
    kind=st.sampled_from(KINDS),
    seed=st.integers(0, 10**6),
    count=st.integers(1, 20),
    length=st.sampled_from([1, 2, 3, 9, 60]),
)
def test_the_conditions_of_the_minimum_hold(kind: str, seed: int, count: int, length: int) -> None:
    found = vectors(kind, seed, count, length)
    gram = found @ found.T
    weights = min_norm_weights(gram)
    assert (weights >= 0).all()
    assert weights.sum() == pytest.approx(1, abs=1e-12)
    assert optimality_gap(gram, weights) <= 1e-9 * gram.diagonal().max()


@settings(deadline=None, max_examples=200)
@given(
    kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=3),
    seed=st.integers(0, 10**6),
    count=st.sampled_from([1, 2, 3, 16, 20]),
    length=st.sampled_from([1, 2, 9, 60]),
    magnitude=st.sampled_from([1e-150, 1e-30, 1e-12, 1.0, 1e12, 1e30, 1e150]),
    spread=st.sampled_from([0, 3, 30]),
    float32=st.booleans(),
)
def test_the_conditions_hold_for_any_mixture_at_any_magnitude(
    kinds: list[str], seed: int, count: int, length: int, magnitude: float, spread: int, float32: bool
) -> None:
    """Vectors of several kinds side by side, with copies, opposites and a zero among them; rounded as training does."""
    rng = np.random.default_rng(seed)
    mixed = np.concatenate([vectors(kind, seed + number, count, length) for number, kind in enumerate(kinds)])
    mixed = mixed[rng.permutation(len(mixed))[:count]]
    mixed[rng.integers(count)] = mixed[rng.integers(count)]
    mixed[rng.integers(count)] = -mixed[rng.integers(count)]
    if rng.random() < 0.3:
        mixed[rng.integers(count)] = 0
    mixed = mixed * 10.0 ** rng.uniform(-spread, spread, (count, 1))
    mixed = mixed / (np.abs(mixed).max() or 1.0)
    mixed = magnitude * (mixed.astype(np.float32).astype(np.float64) if float32 else mixed)
    gram = mixed @ mixed.T
    weights = min_norm_weights(gram)
    assert (weights >= 0).all()
    assert weights.sum() == pytest.approx(1, abs=1e-12)
    assert optimality_gap(gram, weights) <= 1e-9 * gram.diagonal().max()


@settings(deadline=None, max_examples=100)
@given(seed=st.integers(0, 10**6), count=st.integers(1, 16), noise=st.sampled_from([1e-16, 1e-14, 1e-12, 1e-10]))
def test_a_matrix_that_rounding_made_indefinite_is_solved_too(seed: int, count: int, noise: float) -> None:
    """Inner products summed over ranks and columns in another order are off by some units in the last place."""
    rng = np.random.default_rng(seed)
    found = rng.normal(size=(count, 3))
    gram = found @ found.T
    gram += noise * gram.diagonal().max() * rng.normal(size=gram.shape)
    weights = min_norm_weights(gram)
    assert (weights >= 0).all()
    assert weights.sum() == pytest.approx(1, abs=1e-12)
    assert optimality_gap((gram + gram.T) / 2, weights) <= max(1e-9, 100 * noise) * gram.diagonal().max()


@settings(deadline=None, max_examples=60)
@given(kind=st.sampled_from(["random", "norms", "one side"]), seed=st.integers(0, 10**6), count=st.integers(2, 6))
def test_no_support_has_a_smaller_norm(kind: str, seed: int, count: int) -> None:
    found = vectors(kind, seed, count, 30)
    gram = found @ found.T
    weights = min_norm_weights(gram)
    assert weights @ gram @ weights == pytest.approx(by_enumeration(gram), rel=1e-9, abs=1e-12 * gram.max())


@settings(deadline=None, max_examples=8)
@given(seed=st.integers(0, 10**6), count=st.integers(2, 10))
def test_torchjd_agrees(seed: int, count: int) -> None:
    """Its Frank-Wolfe comes within some percent; ours is never longer, and theirs lies where a shortest point allows."""
    found = vectors("random", seed, count, 40)
    gram = found @ found.T
    ours = min_norm_weights(gram)
    theirs = MGDAWeighting(epsilon=1e-12, max_iters=5_000)(torch.from_numpy(gram)).numpy()
    shortest, near = ours @ gram @ ours, theirs @ gram @ theirs
    assert shortest <= near + 1e-9
    assert near <= 1.05 * shortest
    assert np.sum((ours @ found - theirs @ found) ** 2) <= near - shortest + 1e-9


def test_what_is_known_by_hand() -> None:
    assert min_norm_weights(np.array([[4.0]])) == pytest.approx([1])
    assert min_norm_weights(np.diag([1.0, 1.0])) == pytest.approx([0.5, 0.5])
    assert min_norm_weights(np.diag([1.0, 100.0])) == pytest.approx([100 / 101, 1 / 101])
    assert min_norm_weights(np.array([[1.0, 2.0], [2.0, 4.0]])) == pytest.approx([1, 0]), "parallel: the shorter"
    assert min_norm_weights(np.array([[1.0, -3.0], [-3.0, 9.0]])) == pytest.approx([0.75, 0.25]), "opposite: zero"
    assert min_norm_weights(np.array([[1.0, 0.5], [0.5, 0.0]])) == pytest.approx([0, 1]), "a zero gradient"


@pytest.mark.parametrize("gram", [np.zeros((3, 3)), np.full((3, 3), np.nan), np.diag([1.0, np.inf, 1.0])])
def test_without_numbers_all_weigh_the_same(gram: np.ndarray) -> None:
    assert min_norm_weights(gram).tolist() == [1 / 3] * 3
