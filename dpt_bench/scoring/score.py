"""One image's score: the prediction is brought to the target's size, aligned, capped, measured on valid pixels only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from dpt_bench.alignment import Fit
from dpt_bench.core.kinds import DepthKind
from dpt_bench.core.sample import DepthMap
from dpt_bench.core.suite import SuiteDataset
from dpt_bench.metrics import PixelMean, pixel_means
from dpt_bench.results.schema import NO_VALID_PIXEL
from dpt_bench.scoring.fit import align, cap_m, fit_scored
from dpt_bench.scoring.pixels import scored_pixels
from dpt_bench.scoring.protocol import dense_metrics
from dpt_bench.scoring.space import Truth, Values, scored_numbers

NON_FINITE = "non-finite-prediction"
NEGATIVE_SCALE = "negative-scale"
DEGENERATE_FIT = "degenerate-fit"
UNDEFINED = "undefined-score"


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
    seen, truth = scored_numbers(prediction, kind, protocol, target, valid)
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
        np.divide(1.0, numbers, out=numbers)  # np.reciprocal takes twice as long

    return turned


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
