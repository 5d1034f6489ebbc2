"""Training losses on inverse depth up to scale and shift, as MiDaS states them (Ranftl et al., TPAMI 2022, section 5).

Tensors are (B, H, W): prediction, target (disparity, larger = nearer) and a bool mask `valid`. Everything is vectorised
over the batch, never waits for the device, compiles, and runs in float32 also under autocast (float64 stays float64).
Whatever invalid pixels hold, NaN included, changes neither value nor gradient. An image with fewer than two valid
pixels, or whose valid target is constant, says nothing about relative depth: its loss and its gradient are zero.

`PAPER` is what the paper states. `PUBLIC_GIST` is the robust loss that the authors posted, as its formulas read; its
code differs in two more fields: `trim=0.0`, since a slicing mistake trims nothing, and `median="gist_zeros"`, since its
median counts invalid pixels as zeros. `LEAST_SQUARES_GIST` is the older public loss, of MiDaS v1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

SMALLEST_SCALE = 1e-6


@dataclass(frozen=True)
class DepthLossOptions:
    """Which published variant of the loss.

    alignment: "median_mad" normalises both sides by median and mean absolute deviation (eqs. 5-6); "least_squares" fits
        the prediction to the target (eqs. 2-4).
    penalty: rho of eq. 1, "absolute" or "squared" residuals.
    trim: share of the largest residuals that is dropped (eq. 7: 0.2), per "image" or over the whole "batch" (gist).
    trim_denominator: "twice_valid" divides by 2 M (eqs. 1, 7); "kept" by the number of residuals left (some ports).
    gradient_weight, gradient_scales: alpha and K of eqs. 11-12.
    gradient_denominator: the M of eq. 11 counts valid pixels of the full "image", or of the subsampled "scale" (gists).
    reduction: the mean over images of their means (eq. 12), or sums over the "batch" by its valid pixels (gists). In
        training the batch is a step's, or with multiple-gradient descent a dataset's part of it, on however many
        processes and in however many parts; a "batch" to trim over must be in one piece.
    median: of valid pixels, the "lower" of the middle two (torch) or their "mean" (numpy); "gist_zeros" takes the lower
        median over all pixels, the invalid ones set to zero.
    """

    alignment: Literal["median_mad", "least_squares"] = "median_mad"
    penalty: Literal["absolute", "squared"] = "absolute"
    trim: float = 0.2
    trim_scope: Literal["image", "batch"] = "image"
    trim_denominator: Literal["twice_valid", "kept"] = "twice_valid"
    gradient_weight: float = 0.5
    gradient_scales: int = 4
    gradient_denominator: Literal["image", "scale"] = "image"
    reduction: Literal["image", "batch"] = "image"
    median: Literal["lower", "mean", "gist_zeros"] = "lower"


PAPER = DepthLossOptions()
PUBLIC_GIST = DepthLossOptions(trim_scope="batch", gradient_denominator="scale", reduction="batch")
LEAST_SQUARES_GIST = DepthLossOptions(
    alignment="least_squares", penalty="squared", trim=0.0, gradient_denominator="scale", reduction="batch"
)


def depth_loss(prediction: Tensor, target: Tensor, valid: Tensor, options: DepthLossOptions = PAPER) -> Tensor:
    """Scale- and shift-invariant data term plus weighted gradient matching (eq. 12), a scalar.

    Args:
        prediction: (B, H, W) disparity up to scale and shift.
        target: (B, H, W) disparity.
        valid: (B, H, W) bool, the pixels that count.
        options: the variant; the paper's by default.
    """
    return depth_loss_per_image(prediction, target, valid, options).mean()


def depth_loss_per_image(
    prediction: Tensor,
    target: Tensor,
    valid: Tensor,
    options: DepthLossOptions = PAPER,
    counts: Tensor | None = None,
) -> Tensor:
    """The terms whose mean is `depth_loss`: (B,).

    counts: for images that are a part of the batch that `options` reduces over: the mean `loss_counts` of all of it,
        (B, 1 + K), the same for every image.
    """
    residual, used = _aligned_residual(prediction, target, valid, options)
    divisors = _divisors(used, options) if counts is None else counts
    loss = _data_term(residual, used, options, divisors)
    if options.gradient_weight:
        loss = loss + options.gradient_weight * _gradient_term(residual, used, options, divisors)
    return loss


def loss_counts(target: Tensor, valid: Tensor, options: DepthLossOptions = PAPER) -> Tensor:
    """What the sums of an image's data term and of its K gradient scales are divided by: (B, 1 + K) float64.

    With `reduction="batch"` the mean of them over the batch takes their place. Predictions do not matter.
    """
    return _counts(valid & informative_images(_wide(target, valid), valid)[:, None, None], options)


def scale_and_shift_invariant_loss(
    prediction: Tensor, target: Tensor, valid: Tensor, options: DepthLossOptions = PAPER
) -> Tensor:
    """The data term alone, a scalar: L_ssitrim (eq. 7), or L_ssimae and L_ssimse (eq. 1), by `options`."""
    residual, used = _aligned_residual(prediction, target, valid, options)
    return _data_term(residual, used, options, _divisors(used, options)).mean()


def gradient_matching_loss(
    prediction: Tensor, target: Tensor, valid: Tensor, options: DepthLossOptions = PAPER
) -> Tensor:
    """The gradient term alone, not weighted, a scalar: L_reg (eq. 11) of the aligned difference."""
    residual, used = _aligned_residual(prediction, target, valid, options)
    return _gradient_term(residual, used, options, _divisors(used, options)).mean()


def normalise_median_mad(
    values: Tensor, valid: Tensor, median: Literal["lower", "mean", "gist_zeros"] = "lower"
) -> Tensor:
    """(values - median) / mean absolute deviation over the valid pixels of each image (eqs. 5-6); 0 where invalid.

    The deviation is bounded by 1e-6 from below. Gradients flow through both statistics.
    """
    return _normalised(_wide(values, valid), valid, median)


def align_least_squares(prediction: Tensor, target: Tensor, valid: Tensor) -> Tensor:
    """Scale * prediction + shift, fitted to the target over the valid pixels of each image (eqs. 2-4); 0 where invalid.

    Sums are taken about the means, which keeps float32 accurate. A constant prediction gets scale 0 and the target's
    mean as shift. Gradients flow through both.
    """
    return _aligned(*_common(_wide(prediction, valid), _wide(target, valid)), valid)


def informative_images(target: Tensor, valid: Tensor) -> Tensor:
    """(B,) bool: the image has two valid pixels that differ; the losses of all others are zero, and say nothing."""
    highest = target.masked_fill(~valid, -torch.inf).amax((1, 2))
    lowest = target.masked_fill(~valid, torch.inf).amin((1, 2))
    return highest - lowest > SMALLEST_SCALE


def log_loss(prediction: Tensor, target: Tensor, valid: Tensor, variance_focus: float = 0.5) -> Tensor:
    """Scale-invariant log loss (Eigen et al., NIPS 2014, eq. 4): mean(d^2) - variance_focus * mean(d)^2, a scalar.

    d = log prediction - log target over valid pixels, per image, then the mean over images. Both are positive depths
    (or disparities); values below 1e-6 are raised to it.
    """
    return log_loss_per_image(prediction, target, valid, variance_focus).mean()


def log_loss_per_image(prediction: Tensor, target: Tensor, valid: Tensor, variance_focus: float = 0.5) -> Tensor:
    """The terms whose mean is `log_loss`: (B,)."""
    prediction, target = _common(_wide(prediction, valid), _wide(target, valid))
    count = valid.sum((1, 2)).clamp(min=1)
    difference = prediction.clamp(min=SMALLEST_SCALE).log() - target.clamp(min=SMALLEST_SCALE).log()
    difference = difference * valid
    mean = difference.sum((1, 2)) / count
    return difference.square().sum((1, 2)) / count - variance_focus * mean.square()


def _aligned_residual(
    prediction: Tensor, target: Tensor, valid: Tensor, options: DepthLossOptions
) -> tuple[Tensor, Tensor]:
    """Aligned prediction minus aligned target, zero where invalid, and the pixels that count."""
    prediction, target = _common(_wide(prediction, valid), _wide(target, valid))
    valid = valid & informative_images(target, valid)[:, None, None]
    if options.alignment == "least_squares":
        prediction, target = prediction.masked_fill(~valid, 0.0), target.masked_fill(~valid, 0.0)
        return _aligned(prediction, target, valid) - target, valid
    return _normalised(prediction, valid, options.median) - _normalised(target, valid, options.median), valid


def _normalised(values: Tensor, valid: Tensor, median: Literal["lower", "mean", "gist_zeros"]) -> Tensor:
    """`normalise_median_mad` of values that are zero where invalid."""
    pixels, mask = values.flatten(1), valid.flatten(1)
    centred = (pixels - _median(pixels, mask, median)).masked_fill(~mask, 0.0)
    deviation = centred.abs().sum(1, keepdim=True) / mask.sum(1, keepdim=True).clamp(min=1)
    return (centred / deviation.clamp(min=SMALLEST_SCALE)).view_as(values)


def _aligned(prediction: Tensor, target: Tensor, valid: Tensor) -> Tensor:
    """`align_least_squares` of values that are zero where invalid."""
    count = valid.sum((1, 2), keepdim=True).clamp(min=1)
    mean = prediction.sum((1, 2), keepdim=True) / count
    target_mean = target.sum((1, 2), keepdim=True) / count
    centred = (prediction - mean) * valid
    variance = centred.square().sum((1, 2), keepdim=True) / count
    covariance = (centred * (target - target_mean)).sum((1, 2), keepdim=True) / count
    rounding = (8 * torch.finfo(mean.dtype).eps * mean).square()
    varies = variance > rounding
    scale = torch.where(varies, covariance / torch.where(varies, variance, 1.0), 0.0)
    return (scale * centred + target_mean) * valid


def _counts(valid: Tensor, options: DepthLossOptions) -> Tensor:
    """`loss_counts` of the pixels that count."""
    pixels = valid.sum((1, 2))
    trimmed = options.trim > 0 and options.trim_denominator == "kept"
    columns = [(pixels.double() * (1.0 - options.trim)).long() if trimmed else 2 * pixels]
    for level in range(options.gradient_scales):
        own = valid[:, :: 2**level, :: 2**level]
        columns.append(own.sum((1, 2)) if options.gradient_denominator == "scale" else pixels)
    return torch.stack(columns, dim=1).double()


def _divisors(valid: Tensor, options: DepthLossOptions) -> Tensor:
    """(B, 1 + K) by which sums become terms whose mean is the loss, where these images are all of the batch."""
    return _reduced(_counts(valid, options), options)


def _reduced(counts: Tensor, options: DepthLossOptions) -> Tensor:
    return counts.mean(0, keepdim=True).expand_as(counts) if options.reduction == "batch" else counts


def _data_term(residual: Tensor, valid: Tensor, options: DepthLossOptions, divisors: Tensor) -> Tensor:
    magnitude = (residual.abs() if options.penalty == "absolute" else residual.square()).flatten(1)
    mask = valid.flatten(1)
    if not options.trim:
        return _quotients(magnitude.sum(1), divisors[:, 0])
    kept = _kept(magnitude.detach(), mask, options)
    divisor = divisors[:, 0]
    if (options.trim_denominator, options.trim_scope) == ("kept", "batch"):
        divisor = _reduced(kept.sum(1), options)  # how many an image keeps, the others decide too
    return _quotients((magnitude * kept).sum(1), divisor)


def _kept(magnitude: Tensor, mask: Tensor, options: DepthLossOptions) -> Tensor:
    """Weights (B, N) that keep the floor((1 - trim) M) smallest residuals of each image, or of the batch.

    Residuals equal to the largest one kept share what is left of the count. The number kept differs between images, but
    a selection takes the same place in all of them: as many invalid pixels as that needs count as smallest, the others
    as largest. Selecting is several times faster than sorting.
    """
    shape = mask.shape
    if options.trim_scope == "batch":
        magnitude, mask = magnitude.reshape(1, -1), mask.reshape(1, -1)
    wanted = (mask.sum(1, keepdim=True).double() * (1.0 - options.trim)).long()
    place = max(1, int(mask.shape[1] * (1.0 - options.trim)))
    is_smallest = (~mask).cumsum(1, dtype=torch.int32) <= place - wanted
    padding = torch.where(is_smallest, -torch.inf, torch.inf).to(magnitude.dtype)
    bound = torch.where(mask, magnitude, padding).kthvalue(place, dim=1, keepdim=True).values
    below, at = mask & (magnitude < bound), mask & (magnitude == bound)
    share = (wanted - below.sum(1, keepdim=True)) / at.sum(1, keepdim=True).clamp(min=1)
    return (below + share.to(magnitude.dtype) * at).reshape(shape)


def _gradient_term(residual: Tensor, valid: Tensor, options: DepthLossOptions, divisors: Tensor) -> Tensor:
    total = residual.new_zeros(residual.shape[0])
    for level in range(options.gradient_scales):
        stride = 2**level
        values, mask = residual[:, ::stride, ::stride], valid[:, ::stride, ::stride]
        across = values.diff(dim=2).abs() * (mask[:, :, 1:] & mask[:, :, :-1])
        down = values.diff(dim=1).abs() * (mask[:, 1:] & mask[:, :-1])
        total = total + _quotients(across.sum((1, 2)) + down.sum((1, 2)), divisors[:, 1 + level])
    return total


def _quotients(sums: Tensor, divisors: Tensor) -> Tensor:
    """(B,) sums over divisors; 0 where both are."""
    return sums / torch.where(divisors > 0, divisors, 1.0).to(sums.dtype)


def _median(pixels: Tensor, mask: Tensor, kind: Literal["lower", "mean", "gist_zeros"]) -> Tensor:
    """(B, 1) medians of (B, N) values; the gradient goes to the selected pixel."""
    candidates = pixels.detach() if kind == "gist_zeros" else pixels.detach().masked_fill(~mask, torch.nan)
    lower = _pixel_with(candidates.nanmedian(dim=1, keepdim=True).values, candidates, pixels)
    if kind != "mean":
        return lower
    upper = _pixel_with(-(-candidates).nanmedian(dim=1, keepdim=True).values, candidates, pixels)
    return (lower + upper) / 2


def _pixel_with(value: Tensor, candidates: Tensor, pixels: Tensor) -> Tensor:
    """The first pixel with this value, whose choice among equals is the same on every device."""
    return pixels.gather(1, (candidates == value).byte().argmax(dim=1, keepdim=True))


def _wide(values: Tensor, valid: Tensor) -> Tensor:
    """At least float32, with zeros at invalid pixels: replaced on the way in, so that no gradient meets a NaN."""
    return values.masked_fill(~valid, 0.0).to(torch.promote_types(values.dtype, torch.float32))


def _common(prediction: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    dtype = torch.promote_types(prediction.dtype, target.dtype)
    return prediction.to(dtype), target.to(dtype)
