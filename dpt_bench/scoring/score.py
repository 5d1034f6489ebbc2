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
from dpt_bench.resize import Size, resize_prediction
from dpt_bench.results.schema import NO_VALID_PIXEL
from dpt_bench.scoring.pixels import fit_places, scored_pixels
from dpt_bench.scoring.protocol import dense_metrics

NON_FINITE = "non-finite-prediction"
NEGATIVE_SCALE = "negative-scale"
DEGENERATE_FIT = "degenerate-fit"
UNDEFINED = "undefined-score"
_BLOCK = 1 << 15  # pixels that stay in the cache while they are aligned
_NEAREST_M = 1e-6  # aligned depth is kept above this where the protocol states no nearer limit (Marigold eval.py)

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Scored:
    """The numbers of one image, or the reason why it has none.

    values: metric -> number, empty where `skipped`. scale, shift: the fit in the protocol's space, None without one.
    n_valid: pixels (or point pairs) that the fit and every metric used, the same for both.
    flags: negative-scale, degenerate-fit (the best constant was scored), non-finite-prediction (somewhere), tied-pair.
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
    Least squares run in float64 over the same pixels as the metrics (Ranftl et al., TPAMI 2022, zero-shot protocol),
    but for what alignment_max_side leaves out.
    In disparity, aligned values are floored at 1 / cap_m, which also removes the negative ones; in depth they are
    clamped to [low end of the target's range, cap_m].

    Raises:
        SampleError: the protocol's crop does not fit the image, or its metrics compare point pairs.
    """
    protocol = protocol.for_prediction(kind)
    valid = scored_pixels(target, protocol)
    pixels = np.flatnonzero(valid)  # places, as a mask gathers five times slower
    n_valid = pixels.size
    if n_valid == 0:
        return Scored(skipped=NO_VALID_PIXEL, message="the target has no pixel that this protocol scores")
    seen = in_space(prediction, kind, protocol, valid.shape).ravel().take(pixels)
    unusable = _count_non_finite(seen)
    if unusable:
        message = f"{unusable} of {n_valid} scored pixels have no finite prediction"
        return Scored(n_valid=n_valid, flags=(NON_FINITE,), skipped=NON_FINITE, message=message)
    truth = target.values.ravel().take(pixels)
    fit = fit_scored(
        seen, truth_in_space(truth, target.kind, protocol), pixels, (valid.shape[0], valid.shape[1]), protocol
    )
    if fit is not None and not (isfinite(fit.scale) and isfinite(fit.shift)):
        message = "the predicted numbers are too large for a fit"
        return Scored(n_valid=n_valid, flags=(DEGENERATE_FIT,), skipped=UNDEFINED, message=message)
    align(seen, fit, protocol, cap_m(truth, target.kind, protocol))
    values = _measure(seen, truth, target.kind, protocol)
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
    convert = to_disparity if protocol.space == "disparity" else to_depth
    full = resize_prediction(convert(prediction, kind), (size[0], size[1]), protocol.upsample)
    wide = np.asarray(full, dtype=np.float64)
    return _log(wide) if protocol.space == "log_depth" else wide


def truth_in_space(truth: NDArray[np.floating], kind: DepthKind, protocol: SuiteDataset) -> Values:
    """Scored target numbers (N,) of `kind` in the protocol's alignment space: a new float64 (N,)."""
    converted = _converted(truth, kind, disparity=protocol.space == "disparity")
    return _log(converted) if protocol.space == "log_depth" else converted


def fit_scored(
    prediction: Values, truth: Values, pixels: NDArray[np.intp], size: Size, protocol: SuiteDataset
) -> Fit | None:
    """The protocol's fit over (N,) scored pixels in its space, None where it aligns nothing; `pixels`: flat places."""
    if protocol.alignment == "none":
        return None
    if protocol.alignment_max_side is not None:
        seen = fit_places(pixels, size, protocol.alignment_max_side)
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
    numbers = prediction.reshape(-1)
    for start in range(0, numbers.size, _BLOCK):
        block = numbers[start : start + _BLOCK]
        if fit is not None:
            block *= fit.scale
            block += fit.shift
        if protocol.space == "log_depth":
            np.exp(block, out=block)
        if protocol.space != "disparity":
            np.clip(block, protocol.target_range_m[0] or _NEAREST_M, cap_m, out=block)
        elif cap_m is not None:
            np.maximum(block, 1.0 / cap_m, out=block)


def _measure(aligned: Values, truth: NDArray[np.floating], kind: DepthKind, protocol: SuiteDataset) -> dict[str, float]:
    metrics = dense_metrics(protocol)
    is_disparity = protocol.space == "disparity"
    pairs: dict[bool, tuple[Values, Values]] = {}
    for wanted in {metric.needs.is_disparity for metric in metrics.values()}:
        prediction = aligned if wanted == is_disparity else np.reciprocal(aligned)
        pairs[wanted] = prediction, _converted(truth, kind, disparity=wanted)
    return {name: float(metric.function(*pairs[metric.needs.is_disparity])) for name, metric in metrics.items()}


def _converted(truth: NDArray[np.floating], kind: DepthKind, *, disparity: bool) -> Values:
    wide = truth.astype(np.float64)
    if kind.is_disparity != disparity:
        assert not kind.is_affine, "check_target refuses this"
        np.reciprocal(wide, out=wide)  # scored pixels are finite and positive
    return wide


def _count_non_finite(values: Values) -> int:
    with np.errstate(over="ignore", invalid="ignore"):
        if isfinite(values.sum()):  # one pass without a mask: the sum is finite only where all numbers are
            return 0
    return values.size - int(np.count_nonzero(np.isfinite(values)))


def _flags(fit: Fit | None, prediction: NDArray[np.floating]) -> tuple[str, ...]:
    found = {
        DEGENERATE_FIT: fit is not None and fit.degenerate,
        NEGATIVE_SCALE: fit is not None and fit.scale < 0,
        NON_FINITE: not np.isfinite(prediction).all(),
    }
    return tuple(name for name, present in found.items() if present)


def _log(depth: Values) -> Values:
    with np.errstate(divide="ignore", invalid="ignore"):
        logarithm: Values = np.log(depth)
    return logarithm
