"""What a depth number means, and therefore what may be aligned before it is compared.

The idea that an output declares its ambiguity follows MoGe's evaluation interface; the space in which MiDaS and DPT
predict and align, inverse depth up to scale and shift, is `affine_disparity` (Ranftl et al., TPAMI 2022, sec. 5).
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from dpt_bench.core.errors import UsageError


class DepthKind(StrEnum):
    """metric_depth in m, metric_disparity in 1/m; the others up to a scale, or up to a scale and a shift."""

    METRIC_DEPTH = "metric_depth"
    SCALE_INVARIANT_DEPTH = "scale_invariant_depth"
    AFFINE_DEPTH = "affine_depth"
    METRIC_DISPARITY = "metric_disparity"
    SCALE_INVARIANT_DISPARITY = "scale_invariant_disparity"
    AFFINE_DISPARITY = "affine_disparity"
    ORDINAL = "ordinal"

    @property
    def is_disparity(self) -> bool:
        """True where a larger number is nearer. Ordinal numbers are ordered like depth."""
        return self.value.endswith("disparity")

    @property
    def is_affine(self) -> bool:
        """True where an unknown shift forbids taking the reciprocal."""
        return self.value.startswith("affine")

    @property
    def is_metric(self) -> bool:
        return self.value.startswith("metric")

    @property
    def strength(self) -> int:
        """3 metric, 2 scale-invariant, 1 affine, 0 ordinal: a stronger kind may be scored as a weaker one."""
        if self is DepthKind.ORDINAL:
            return 0
        return 3 if self.is_metric else 1 if self.is_affine else 2


def can_score_as(kind: DepthKind, wanted: DepthKind) -> bool:
    """Whether a prediction of `kind` may be scored where a protocol asks for `wanted`.

    A stronger kind may be scored as a weaker one. Depth and disparity convert into each other while there is no shift
    ambiguity; affine depth and affine disparity do not.
    """
    if kind.strength < wanted.strength:
        return False
    return wanted is DepthKind.ORDINAL or kind.is_disparity == wanted.is_disparity or not kind.is_affine


def to_disparity(values: NDArray[np.floating], kind: DepthKind) -> NDArray[np.float64]:
    """Numbers of `kind` as (affine, scale-invariant or metric) disparity, float64, same shape.

    Depth that is not positive or not finite gives NaN.

    Raises:
        UsageError: for affine depth and ordinal numbers, whose reciprocal means nothing.
    """
    wide = np.asarray(values, dtype=np.float64)
    if kind.is_disparity:
        return wide
    return _reciprocal(wide, kind, "disparity")


def to_depth(values: NDArray[np.floating], kind: DepthKind) -> NDArray[np.float64]:
    """Numbers of `kind` as depth, float64, same shape; disparity that is not positive gives NaN.

    Raises:
        UsageError: for affine disparity, whose reciprocal means nothing before it is aligned.
    """
    wide = np.asarray(values, dtype=np.float64)
    if not kind.is_disparity:
        return wide
    return _reciprocal(wide, kind, "depth")


def _reciprocal(wide: NDArray[np.float64], kind: DepthKind, wanted: str) -> NDArray[np.float64]:
    if kind.is_affine or kind is DepthKind.ORDINAL:
        raise UsageError(f"{kind} cannot be converted to {wanted}: its unknown shift makes the reciprocal meaningless")
    positive = np.isfinite(wide) & (wide > 0)
    reciprocal = np.full(wide.shape, np.nan)
    np.divide(1.0, wide, out=reciprocal, where=positive)
    return reciprocal
