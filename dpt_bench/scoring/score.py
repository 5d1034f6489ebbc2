"""One image's score: the prediction is brought to the target's size, aligned, capped, measured on valid pixels only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import isfinite
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dpt_bench.alignment import Fit, fit_scale, fit_scale_and_shift
from dpt_bench.core.kinds import DepthKind, to_depth, to_disparity
from dpt_bench.core.parallel import in_order, threads_for
from dpt_bench.core.sample import DepthMap
from dpt_bench.core.scratch import scratch
from dpt_bench.core.suite import SuiteDataset
from dpt_bench.metrics import PixelMean, pixel_means
from dpt_bench.resize import Size, enlarged_rows, resize_prediction
from dpt_bench.results.schema import NO_VALID_PIXEL
from dpt_bench.scoring.pixels import fit_places, scored_pixels
from dpt_bench.scoring.protocol import dense_metrics
from dpt_bench.scoring.truth import Truth, Values, logarithm

NON_FINITE = "non-finite-prediction"
NEGATIVE_SCALE = "negative-scale"
DEGENERATE_FIT = "degenerate-fit"
UNDEFINED = "undefined-score"
_LARGE, _STRIP = 1 << 21, 1 << 16  # pixels above which a map is enlarged in strips, and pixels of a strip
_BLOCK = 1 << 15  # pixels that stay in the cache while they are aligned
_NEAREST_M = 1e-6  # aligned depth is kept above this where the protocol states no nearer limit (Marigold eval.py)


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
    n_valid = int(np.count_nonzero(valid))
    if n_valid == 0:
        return Scored(skipped=NO_VALID_PIXEL, message="the target has no pixel that this protocol scores")
    truth = Truth(target.kind, scratch("truth", n_valid))
    seen = _scored_numbers(_converted_to_space(prediction, kind, protocol), target.values, valid, (protocol, truth))
    unusable = _count_non_finite(seen)
    if unusable:
        message = f"{unusable} of {n_valid} scored pixels have no finite prediction"
        return Scored(n_valid=n_valid, flags=(NON_FINITE,), skipped=NON_FINITE, message=message)
    fit = fit_scored(seen, truth.in_space(protocol), valid, protocol)
    if fit is not None and not (isfinite(fit.scale) and isfinite(fit.shift)):
        message = "the predicted numbers are too large for a fit"
        return Scored(n_valid=n_valid, flags=(DEGENERATE_FIT,), skipped=UNDEFINED, message=message)
    cap = cap_m(truth.stored, target.kind, protocol)
    values = _measure(seen, truth, protocol, lambda numbers: align(numbers, fit, protocol, cap))
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
    converted = _converted_to_space(prediction, kind, protocol)
    full = resize_prediction(converted, (size[0], size[1]), protocol.upsample)
    wide = np.asarray(full, dtype=np.float64)
    return logarithm(wide) if protocol.space == "log_depth" else wide


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


def _measure(
    seen: Values, truth: Truth, protocol: SuiteDataset, align_block: Callable[[Values], None]
) -> dict[str, float]:
    """Every metric, in the protocol's order; `align_block` aligns a block of `seen`, which is used up."""
    metrics = dense_metrics(protocol)
    is_disparity = protocol.space == "disparity"
    values: dict[str, float] = {}
    prepare: Callable[[Values], None] | None = align_block
    for wanted in (is_disparity, not is_disparity):
        chosen = {name: metric.function for name, metric in metrics.items() if metric.needs.is_disparity == wanted}
        if not chosen:
            continue
        if wanted != is_disparity:
            prepare = _then_turned(prepare)
        numbers = truth.converted(disparity=wanted)
        means = {name: function for name, function in chosen.items() if isinstance(function, PixelMean)}
        turned = truth.known(disparity=not wanted)
        values |= pixel_means(means, seen, numbers, turned_target=turned, prepare=prepare)
        values |= {name: float(function(seen, numbers)) for name, function in chosen.items() if name not in means}
        prepare = None
    return {name: values[name] for name in metrics}


def _then_turned(prepare: Callable[[Values], None] | None) -> Callable[[Values], None]:
    def turned(numbers: Values) -> None:
        if prepare is not None:
            prepare(numbers)
        np.reciprocal(numbers, out=numbers)

    return turned


def _converted_to_space(prediction: NDArray[np.floating], kind: DepthKind, protocol: SuiteDataset) -> Values:
    if kind.is_disparity != (protocol.space == "disparity"):
        return (to_disparity if protocol.space == "disparity" else to_depth)(prediction, kind)
    wide: Values = scratch("prediction", prediction.size).reshape(prediction.shape)
    np.copyto(wide, prediction)
    return wide


def _scored_numbers(
    prediction: Values, target: NDArray[np.floating], valid: NDArray[np.bool_], into: tuple[SuiteDataset, Truth]
) -> Values:
    """The prediction (N,) in the protocol's space at the valid pixels; the target's numbers there go into the truth.

    Maps too large for the cache are enlarged a strip of rows at a time: of 24 megapixels no full map is made.
    """
    protocol, truth = into
    height, width = valid.shape
    seen: Values = scratch("seen", truth.stored.size)
    in_strips = protocol.upsample == "bilinear" and valid.size > _LARGE
    full = prediction if in_strips else _full_size(prediction, (height, width), protocol.upsample)
    step = max(1, _STRIP // width)
    tops = range(0, height, step)
    stops = np.cumsum([np.count_nonzero(valid[top : top + step]) for top in tops])

    def gather(top: int) -> None:
        rows = slice(top, min(top + step, height))
        strip = enlarged_rows(prediction, (height, width), rows.start, rows.stop) if in_strips else full[rows]
        places = np.flatnonzero(valid[rows])  # as a mask gathers five times slower
        stop = stops[top // step]
        part = slice(stop - places.size, stop)
        picked = scratch("picked", places.size, target.dtype)
        strip.ravel().take(places, out=seen[part], mode="clip")
        target[rows].ravel().take(places, out=picked, mode="clip")
        np.copyto(truth.stored[part], picked)

    in_order(gather, tops, threads_for(valid.size))
    return logarithm(seen) if protocol.space == "log_depth" else seen


def _full_size(prediction: Values, size: Size, method: Literal["bilinear", "bicubic", "nearest"]) -> Values:
    out = scratch("full", size[0] * size[1]).reshape(size)
    return np.asarray(resize_prediction(prediction, size, method, out=out), np.float64)


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
