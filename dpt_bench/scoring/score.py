"""One image's score: the prediction is brought to the target's size, aligned, capped, measured on valid pixels only."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from dpt_bench.alignment import Fit, fit_scale, fit_scale_and_shift
from dpt_bench.core.kinds import DepthKind, to_depth, to_disparity
from dpt_bench.core.sample import DepthMap
from dpt_bench.core.suite import SuiteDataset
from dpt_bench.resize import resize_prediction
from dpt_bench.results.schema import NO_VALID_PIXEL
from dpt_bench.scoring.pixels import scored_pixels
from dpt_bench.scoring.protocol import load_metrics

NON_FINITE = "non-finite-prediction"
NEGATIVE_SCALE = "negative-scale"
DEGENERATE_FIT = "degenerate-fit"
UNDEFINED = "undefined-score"
_NEAREST_M = 1e-6  # aligned depth is kept above this where the protocol states no nearer limit (Marigold eval.py)

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Scored:
    """The numbers of one image, or the reason why it has none.

    values: metric -> number, empty where `skipped`. scale, shift: the fit in the protocol's space, None without one.
    n_valid: pixels that the fit and every metric used, the same for both.
    flags: negative-scale, degenerate-fit (the best constant was scored), non-finite-prediction (somewhere).
    """

    values: dict[str, float] = field(default_factory=dict)
    scale: float | None = None
    shift: float | None = None
    n_valid: int = 0
    flags: tuple[str, ...] = ()
    skipped: str | None = None
    message: str | None = None


def score(target: DepthMap, prediction: NDArray[np.floating], kind: DepthKind, protocol: SuiteDataset) -> Scored:
    """Score a prediction of `kind`, (h, w) at any size, against a target (H, W).

    A stronger kind is first converted into the protocol's space, at the network's size; the target is never resized.
    Least squares run in float64 over the same pixels as the metrics (Ranftl et al., TPAMI 2022, zero-shot protocol).
    In disparity, aligned values are floored at 1 / cap_m, which also removes the negative ones; in depth they are
    clamped to [low end of the target's range, cap_m].

    Raises:
        SampleError: the protocol's crop does not fit the image.
    """
    valid = scored_pixels(target, protocol)
    n_valid = int(np.count_nonzero(valid))
    if n_valid == 0:
        return Scored(skipped=NO_VALID_PIXEL, message="the target has no pixel that this protocol scores")
    seen = in_space(prediction, kind, protocol, valid.shape)[valid]
    unusable = seen.size - int(np.count_nonzero(np.isfinite(seen)))
    if unusable:
        message = f"{unusable} of {n_valid} scored pixels have no finite prediction"
        return Scored(n_valid=n_valid, flags=(NON_FINITE,), skipped=NON_FINITE, message=message)
    truth = target.values[valid]
    aligned, fit = align(seen, truth_in_space(truth, target.kind, protocol), protocol)
    values = _measure(aligned, truth, target.kind, protocol)
    flags = _flags(fit, prediction)
    scale, shift = (fit.scale, fit.shift) if fit else (None, None)
    undefined = [name for name, value in values.items() if not isfinite(value)]
    if undefined:
        message = f"{undefined[0]} is not defined for this image"
        return Scored({}, scale, shift, n_valid, flags, UNDEFINED, message)
    return Scored(values, scale, shift, n_valid, flags)


def in_space(
    prediction: NDArray[np.floating], kind: DepthKind, protocol: SuiteDataset, size: tuple[int, ...]
) -> Values:
    """The prediction in the protocol's alignment space and at the target's size: float64 (H, W)."""
    convert = to_disparity if protocol.alignment_space == "disparity" else to_depth
    full = resize_prediction(convert(prediction, kind), (size[0], size[1]), protocol.upsample)
    return _log(full) if protocol.alignment_space == "log_depth" else np.asarray(full, dtype=np.float64)


def truth_in_space(truth: NDArray[np.floating], kind: DepthKind, protocol: SuiteDataset) -> Values:
    """Target numbers of `kind` in the protocol's alignment space, float64, same shape."""
    if protocol.alignment_space == "disparity":
        return to_disparity(truth, kind)
    depth = to_depth(truth, kind)
    return _log(depth) if protocol.alignment_space == "log_depth" else depth


def align(prediction: Values, truth: Values, protocol: SuiteDataset) -> tuple[Values, Fit | None]:
    """Fit (N,) pixels in the protocol's space, apply, cap: disparity or depth (N,), and the fit if there was one."""
    fit = _fit(prediction, truth, protocol)
    return cap(prediction if fit is None else fit.apply(prediction), protocol), fit


def cap(aligned: Values, protocol: SuiteDataset) -> Values:
    """Aligned numbers as disparity not below 1 / cap_m, or as depth within its limits; logarithms are undone."""
    if protocol.alignment_space == "disparity":
        return aligned if protocol.cap_m is None else np.maximum(aligned, 1.0 / protocol.cap_m)
    depth = np.exp(aligned) if protocol.alignment_space == "log_depth" else aligned
    return np.clip(depth, protocol.target_range_m[0] or _NEAREST_M, protocol.cap_m)


def _fit(prediction: Values, truth: Values, protocol: SuiteDataset) -> Fit | None:
    everywhere = np.ones(prediction.shape, dtype=np.bool_)
    if protocol.alignment == "none":
        return None
    if protocol.alignment == "scale_and_shift":
        return fit_scale_and_shift(prediction, truth, everywhere)
    if protocol.alignment_space == "log_depth":  # the scale of a depth is the shift of its logarithm
        shift = float(np.mean(truth - prediction))
        return Fit(scale=1.0, shift=shift, num_pixels=prediction.size, degenerate=False)
    return fit_scale(prediction, truth, everywhere)


def _measure(aligned: Values, truth: NDArray[np.floating], kind: DepthKind, protocol: SuiteDataset) -> dict[str, float]:
    metrics = load_metrics(protocol)
    in_disparity = protocol.alignment_space == "disparity"
    pairs: dict[bool, tuple[Values, Values]] = {}
    for disparity in {metric.needs.is_disparity for metric in metrics.values()}:
        prediction = aligned if disparity == in_disparity else 1.0 / aligned
        pairs[disparity] = prediction, to_disparity(truth, kind) if disparity else to_depth(truth, kind)
    return {name: float(metric.function(*pairs[metric.needs.is_disparity])) for name, metric in metrics.items()}


def _flags(fit: Fit | None, prediction: NDArray[np.floating]) -> tuple[str, ...]:
    found = {
        DEGENERATE_FIT: fit is not None and fit.degenerate,
        NEGATIVE_SCALE: fit is not None and fit.scale < 0,
        NON_FINITE: not np.isfinite(prediction).all(),
    }
    return tuple(name for name, present in found.items() if present)


def _log(depth: NDArray[np.floating]) -> Values:
    with np.errstate(divide="ignore", invalid="ignore"):
        logarithm: Values = np.log(np.asarray(depth, dtype=np.float64))
    return logarithm
