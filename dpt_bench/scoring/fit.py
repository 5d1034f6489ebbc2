"""A protocol's fit, and what it makes of a prediction: aligned, capped, in metres or their reciprocals."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dpt_bench.alignment import Fit, fit_scale, fit_scale_and_shift
from dpt_bench.core.kinds import DepthKind
from dpt_bench.core.suite import SuiteDataset
from dpt_bench.scoring.pixels import fit_places
from dpt_bench.scoring.space import Values

_BLOCK = 1 << 15  # pixels that stay in the cache while they are aligned
_NEAREST_M = 1e-6  # aligned depth is kept above this where the protocol states no nearer limit (Marigold eval.py)


def fit_scored(prediction: Values, truth: Values, valid: NDArray[np.bool_], protocol: SuiteDataset) -> Fit | None:
    """The protocol's fit over the (N,) scored pixels of `valid` in its space, None where it aligns nothing."""
    if protocol.alignment == "none":
        return None
    if protocol.alignment_max_side is not None:
        size = (valid.shape[0], valid.shape[1])
        seen = fit_places(np.flatnonzero(valid), size, protocol.alignment_max_side)
        prediction, truth = prediction[seen], truth[seen]
    if protocol.alignment == "scale_and_shift":
        return fit_scale_and_shift(prediction, truth)
    if protocol.space == "log_depth":  # the scale of a depth is the shift of its logarithm
        shift = float(np.mean(truth - prediction))
        return Fit(scale=1.0, shift=shift, num_pixels=prediction.size, degenerate=False)
    return fit_scale(prediction, truth)


def cap_m(truth: NDArray[np.floating], kind: DepthKind, protocol: SuiteDataset) -> float | None:
    """The depth that aligned predictions of an image are clamped to, given its scored target numbers (N,) of `kind`."""
    if not protocol.cap_at_farthest:
        return protocol.cap_m
    return float(1 / truth.min() if kind.is_disparity else truth.max())


def align(prediction: Values, fit: Fit | None, protocol: SuiteDataset, cap_m: float | None) -> None:
    """Apply the fit and the cap in place; a contiguous prediction in the protocol's space becomes disparity or depth.

    Disparity ends up not below 1 / cap_m, depth within its limits; logarithms are undone.
    """
    low, high = _limits(protocol, cap_m)
    numbers = prediction.reshape(-1)
    for start in range(0, numbers.size, _BLOCK):
        block = numbers[start : start + _BLOCK]
        if fit is not None:
            block *= fit.scale
            block += fit.shift
        if protocol.space == "log_depth":
            np.exp(block, out=block)
        np.clip(block, low, high, out=block)


def _limits(protocol: SuiteDataset, cap_m: float | None) -> tuple[float, float]:
    """What aligned numbers are kept within."""
    if protocol.space == "disparity":
        return (-np.inf if cap_m is None else 1.0 / cap_m), np.inf
    return protocol.target_range_m[0] or _NEAREST_M, (np.inf if cap_m is None else cap_m)
