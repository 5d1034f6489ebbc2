"""The point of smallest norm in the convex hull of vectors that are known by their Gram matrix alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

ROUNDING = 1e-14
"""A gap below this share of the largest squared norm is rounding."""


def min_norm_weights(gram: Array) -> Array:
    """The weights a (T,) on the simplex that minimise a' gram a, in float64: eq. 3 of Sener and Koltun, NeurIPS 2018.

    Wolfe's active set (Finding the nearest point in a polytope, Mathematical Programming 11, 1976) on the Gram matrix:
    a vector that lowers the norm joins the set, the affine minimiser of the set is found exactly, and vectors whose
    weight would be negative leave. Where several weightings are best, one of them. Zeros everywhere, or numbers that
    are not finite, give equal weights.

    Args:
        gram: (T, T), inner products of the T >= 1 vectors.
    """
    num_vectors = len(gram)
    largest = float(gram.diagonal().max())
    if not (np.isfinite(gram).all() and largest > 0):
        return np.full(num_vectors, 1.0 / num_vectors)
    scaled = (gram + gram.T) / (2.0 * largest)
    weights = np.zeros(num_vectors)
    weights[scaled.diagonal().argmin()] = 1.0
    best, best_gap = weights, optimality_gap(scaled, weights)
    for _ in range(10 * num_vectors):
        if best_gap <= ROUNDING:
            break
        entering = int((scaled @ weights).argmin())
        if weights[entering] > 0:
            break  # the set's own minimiser, up to rounding
        weights = _minimised(scaled, weights, entering)
        gap = optimality_gap(scaled, weights)
        if gap < best_gap:
            best, best_gap = weights, gap
    return best


def optimality_gap(gram: Array, weights: Array) -> float:
    """How far the weights are from optimal: a' gram a - min(gram a), zero at the minimum (the KKT conditions)."""
    slopes = gram @ weights
    return float(weights @ slopes - slopes.min())


def _minimised(gram: Array, weights: Array, entering: int) -> Array:
    """Weights that are best on their own support, beginning with that of `weights` and `entering`."""
    support = [*np.flatnonzero(weights).tolist(), entering]
    while True:
        current, goal = weights[support], _affine_minimiser(gram[np.ix_(support, support)])
        if (goal > 0).all():
            result = np.zeros_like(weights)
            result[support] = goal / goal.sum()
            return result
        falling = goal <= 0
        shares = current[falling] / (current[falling] - goal[falling])
        moved = current + shares.min() * (goal - current)
        moved[np.flatnonzero(falling)[shares.argmin()]] = 0.0
        weights = np.zeros_like(weights)
        weights[support] = np.maximum(moved, 0.0)
        support = [index for index in support if weights[index] > 0]


def _affine_minimiser(gram: Array) -> Array:
    """The weights of sum one, negative ones allowed, of smallest norm; the shortest such where vectors depend."""
    size = len(gram)
    system = np.ones((size + 1, size + 1))
    system[:size, :size] = gram
    system[size, size] = 0.0
    right = np.zeros(size + 1)
    right[size] = 1.0
    return np.asarray(np.linalg.lstsq(system, right, rcond=None)[0][:size], np.float64)
