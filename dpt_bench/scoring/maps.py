"""The same scoring as pictures: aligned disparity, target and error over the whole image, for galleries."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dpt_bench.core.kinds import DepthKind
from dpt_bench.core.sample import DepthMap
from dpt_bench.core.suite import SuiteDataset
from dpt_bench.scoring.fit import align, cap_m, fit_scored
from dpt_bench.scoring.pixels import scored_pixels
from dpt_bench.scoring.space import Truth, Values, in_space


@dataclass(frozen=True)
class Maps:
    """All (H, W): prediction and target as disparity on one scale (larger is nearer), error as |z - z*| / z* of depth.

    target and error mean something where `valid`, the pixels that are scored; the prediction everywhere.
    """

    prediction: Values
    target: Values
    error: Values
    valid: NDArray[np.bool_]


def aligned_maps(target: DepthMap, prediction: NDArray[np.floating], kind: DepthKind, protocol: SuiteDataset) -> Maps:
    """What `score` compared, at every pixel.

    Raises:
        SampleError: the protocol's crop does not fit the image.
    """
    protocol = protocol.for_prediction(kind)
    valid = scored_pixels(target, protocol)
    predicted = np.array(in_space(prediction, kind, protocol, valid.shape), order="C")
    numbers = target.values[valid].astype(np.float64)
    truth = Truth(target.kind, numbers, np.empty_like(numbers)).in_space(protocol).copy()
    fit = fit_scored(predicted[valid], truth, valid, protocol)
    align(predicted, fit, protocol, cap_m(numbers, target.kind, protocol))
    predicted = _disparity(predicted, protocol)
    truth = _disparity(np.exp(truth) if protocol.space == "log_depth" else truth, protocol)
    targets, error = np.full(valid.shape, np.nan), np.full(valid.shape, np.nan)
    targets[valid] = truth
    with np.errstate(divide="ignore", invalid="ignore"):
        error[valid] = np.abs(truth / predicted[valid] - 1.0)
    return Maps(predicted, targets, error, valid)


def _disparity(values: Values, protocol: SuiteDataset) -> Values:
    if protocol.space == "disparity":
        return values
    with np.errstate(divide="ignore", invalid="ignore"):
        return 1.0 / values
