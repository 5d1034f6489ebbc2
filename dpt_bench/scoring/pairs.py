"""One image's score where the target is ordered point pairs: the prediction is read at the points, never enlarged."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dpt_bench.core.kinds import DepthKind
from dpt_bench.core.sample import OrdinalPairs
from dpt_bench.core.suite import SuiteDataset
from dpt_bench.resize import Size, sample_prediction
from dpt_bench.results.schema import NO_VALID_PIXEL
from dpt_bench.scoring.protocol import ordinal_metrics
from dpt_bench.scoring.score import NON_FINITE, Scored

TIED_PAIR = "tied-pair"
"""A flag of images in which the prediction is the same at both points of a pair."""


def score_pairs(
    target: OrdinalPairs, prediction: NDArray[np.floating], kind: DepthKind, size: Size, protocol: SuiteDataset
) -> Scored:
    """Score a prediction of `kind`, (h, w) at any size, against pairs in an image of `size` (H, W).

    Each point gets what the prediction holds there once it is brought to the image's size (bilinear). Where the kind is
    a disparity the larger number is the nearer point, else the farther; nothing is converted or aligned. n_valid counts
    pairs.

    Raises:
        SampleError: the protocol's metrics compare maps.
    """
    n_pairs = len(target.farther)
    if n_pairs == 0:
        return Scored(skipped=NO_VALID_PIXEL, message="the target has no pair")
    seen = sample_prediction(prediction, size, target.points)  # (N, 2): A and B
    flags = () if np.isfinite(prediction).all() else (NON_FINITE,)
    unusable = n_pairs - int(np.isfinite(seen).all(axis=1).sum())
    if unusable:
        message = f"{unusable} of {n_pairs} pairs have no finite prediction"
        return Scored(n_valid=n_pairs, flags=flags, skipped=NON_FINITE, message=message)
    order = _depth_order(seen, kind)
    values = {name: metric(order, target.farther) for name, metric in ordinal_metrics(protocol).items()}
    return Scored(values, n_valid=n_pairs, flags=flags if order.all() else (*flags, TIED_PAIR))


def _depth_order(seen: NDArray[np.float64], kind: DepthKind) -> NDArray[np.int8]:
    a_minus_b = np.greater(seen[:, 0], seen[:, 1]).astype(np.int8) - np.less(seen[:, 0], seen[:, 1])
    order: NDArray[np.int8] = -a_minus_b if kind.is_disparity else a_minus_b
    return order
