"""Sample -> ShardSample: resized, its target as normalised inverse depth, its sky by the recipe's policy."""

from __future__ import annotations

import math
from dataclasses import asdict, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpt_bench.conversion.options import SampleOptions, ShortSide
from dpt_bench.core.errors import SampleError
from dpt_bench.core.kinds import DepthKind
from dpt_bench.core.recipe import Recipe, SkyPolicy
from dpt_bench.core.sample import Camera, DepthMap, OrdinalPairs, Sample
from dpt_bench.resize import pick_pixels, resize_image, resize_shorter_side
from dpt_bench.shards.codec import ShardSample

MIN_MEASURED_FRACTION = 0.05
"""Share of the pixels that must have a measured target, sky not counted: less does not tell scale and shift from noise
(the threshold that dust3r-style BlendedMVS loaders use; `train-datasets` 3.10)."""

FLAT_RANGE = 1e-6
"""Inverse depth that varies by less than this share of its magnitude is float32 rounding, not geometry."""


def convert_sample(sample: Sample, recipe: Recipe, options: SampleOptions) -> ShardSample:
    """Bring a raw sample into the form of DESIGN section 4.2.

    The image is resized by area; of the target the pixel at each centre is picked, before anything is computed from it.
    lo and hi are taken over the valid pixels that remain, sky included; inverse depth = lo + value * (hi - lo).

    Raises:
        SampleError: "too-few-valid", "flat", "non-finite", "negative" or "ordinal-target".
    """
    height, width = sample.image.shape[:2]
    size = output_size(height, width, options.short_side)
    image = sample.image if size == (height, width) else resize_image(sample.image, size, "area")
    meta = _meta(sample, recipe, size)
    if isinstance(sample.target, DepthMap):
        values, sky, lo, hi = normalised_inverse_depth(_pick(sample.target, size), recipe.target.sky_policy)
        meta |= {"kind": str(sample.target.kind), "sky_policy": recipe.target.sky_policy, "lo": lo, "hi": hi}
        return ShardSample(sample.key, image, inverse_depth=values, sky=sky, meta=meta)
    if isinstance(sample.target, OrdinalPairs):
        raise SampleError("ordinal-target", "ordinal pairs cannot be stored in shards", where=sample.key)
    labels = pick_pixels(sample.target.labels, size)
    if np.all(labels == sample.target.ignore):
        raise SampleError("too-few-valid", "no pixel has a label", where=sample.key)
    meta |= {"kind": "labels", "ignore": sample.target.ignore, "num_classes": recipe.target.num_classes}
    return ShardSample(sample.key, image, labels=labels, meta=meta)


def output_size(height: int, width: int, short_side: ShortSide) -> tuple[int, int]:
    """(height, width) in the shard: the shorter side brought down to `short_side`, never enlarged."""
    return (height, width) if short_side == "native" else resize_shorter_side(height, width, short_side)


def normalised_inverse_depth(
    target: DepthMap, policy: SkyPolicy
) -> tuple[NDArray[np.float32], NDArray[np.bool_] | None, float, float]:
    """Values 0 (farthest) to 1 (nearest), float32 (H, W), NaN = invalid; the sky mask; lo and hi of the inverse depth.

    Sky as its users at MiDaS set it (isl-org/MiDaS issue 15): inverse depth 0 ("infinity"), the image's minimum
    ("minimum", 3D Movies), or not at all ("invalid", ReDWeb, issue 16).

    Raises:
        SampleError: "too-few-valid", "flat", "non-finite" or "negative".
    """
    has_sky = target.sky is not None and bool(target.sky.any())
    measured = target.valid if target.sky is None else target.valid & ~target.sky
    inverse, lo, hi = _inverse(target.values, target.kind, measured)
    if lo < 0 and (policy == "infinity" or not target.kind.is_affine):
        raise SampleError("negative", f"{target.kind} is negative at valid pixels, lowest inverse depth {lo:g}")
    if has_sky and policy == "infinity":
        lo = 0.0
    if hi - lo <= FLAT_RANGE * max(abs(lo), abs(hi)):
        raise SampleError("flat", f"inverse depth is the same everywhere: {lo:g} to {hi:g}")
    inverse -= lo
    inverse /= hi - lo
    normalised = inverse.astype(np.float32)
    if has_sky and policy != "invalid":
        np.copyto(normalised, 0.0, where=target.sky)  # what lo becomes
    return normalised, target.sky, lo, hi


def _inverse(
    values: NDArray[np.float32], kind: DepthKind, measured: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], float, float]:
    """Inverse depth (affine or not) in float64 at measured pixels, NaN elsewhere; its least and its largest number."""
    num_measured = np.count_nonzero(measured)
    if num_measured < MIN_MEASURED_FRACTION * measured.size:
        share = num_measured / max(measured.size, 1)
        raise SampleError(
            "too-few-valid", f"{share:.1%} of the pixels are valid, fewer than {MIN_MEASURED_FRACTION:.0%}"
        )
    if kind is DepthKind.ORDINAL or kind is DepthKind.AFFINE_DEPTH:
        raise SampleError("no-inverse", f"{kind} has no inverse depth")
    if kind.is_disparity:
        inverse = values.astype(np.float64)
    else:
        with np.errstate(divide="ignore", invalid="ignore"):
            inverse = np.divide(1.0, values, dtype=np.float64)
    unknown = np.isnan(inverse)
    if not np.array_equal(unknown, ~measured):  # readers write NaN where nothing was measured, but the sky may differ
        np.copyto(inverse, np.nan, where=~measured)
    lo, hi = float(np.fmin.reduce(inverse, axis=None)), float(np.fmax.reduce(inverse, axis=None))
    # depth 0 gives inf and depth inf gives 0: neither is a measurement
    finite = math.isfinite(lo) and math.isfinite(hi)
    if not finite or np.any(unknown & measured) or (lo == 0 and not kind.is_disparity):
        raise SampleError("non-finite", f"{kind} at valid pixels is NaN, infinite or zero")
    return inverse, lo, hi


def _pick(target: DepthMap, size: tuple[int, int]) -> DepthMap:
    if target.values.shape == size:
        return target
    values = pick_pixels(target.values, size)
    if target.sky is None:
        return DepthMap(values, target.kind, pick_pixels(target.valid, size))
    both = pick_pixels(target.valid + 2 * target.sky.view(np.uint8), size)  # one array takes half the time of two
    return DepthMap(values, target.kind, (both & 1).view(np.bool_), (both >> 1).view(np.bool_))


def _meta(sample: Sample, recipe: Recipe, size: tuple[int, int]) -> dict[str, Any]:
    height, width = sample.image.shape[:2]
    meta: dict[str, Any] = {
        "recipe": recipe.name,
        "recipe_version": recipe.version,
        "original_size": [height, width],
        "sources": list(sample.sources),
    }
    camera = sample.camera or (recipe.camera.camera() if recipe.camera else None)
    if camera is not None:
        meta["camera"] = asdict(scale_camera(camera, (size[1] / width, size[0] / height)))
    if sample.notes:
        meta["notes"] = sample.notes
    return meta


def scale_camera(camera: Camera, factors: tuple[float, float]) -> Camera:
    """Intrinsics after a resize by (x, y) factors; pixel centres lie at integers, so the corner is at -0.5."""
    x, y = factors
    return replace(
        camera,
        fx=camera.fx * x,
        fy=camera.fy * y,
        cx=(camera.cx + 0.5) * x - 0.5,
        cy=(camera.cy + 0.5) * y - 0.5,
    )
