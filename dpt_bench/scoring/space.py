"""Prediction and target in the space in which a protocol aligns them, at the target's size and at the scored pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dpt_bench.core.kinds import DepthKind, to_depth, to_disparity
from dpt_bench.core.parallel import in_order, threads_for
from dpt_bench.core.sample import DepthMap
from dpt_bench.core.scratch import scratch
from dpt_bench.core.suite import SuiteDataset
from dpt_bench.resize import Size, enlarged_rows, resize_prediction

_LARGE, _STRIP = 1 << 21, 1 << 16  # pixels above which a map is enlarged in strips, and pixels of a strip

Values = NDArray[np.float64]
Upsample = Literal["bilinear", "bicubic", "nearest"]


@dataclass
class Truth:
    """An image's scored target numbers (N,) of `kind`; their reciprocals are made when they are asked for.

    spare: (M,) memory for the reciprocals, M >= N.
    """

    kind: DepthKind
    stored: Values
    spare: Values
    turned: Values | None = None

    def converted(self, *, disparity: bool) -> Values:
        """The numbers as disparity or as depth."""
        if self.kind.is_disparity == disparity:
            return self.stored
        if self.turned is None:
            assert not self.kind.is_affine, "check_target refuses this"
            self.turned = self.spare[: self.stored.size]
            np.divide(1.0, self.stored, out=self.turned)  # scored pixels are finite and positive
        return self.turned

    def known(self, *, disparity: bool) -> Values | None:
        """The same, None where they have not been made."""
        return self.stored if self.kind.is_disparity == disparity else self.turned

    def in_space(self, protocol: SuiteDataset) -> Values:
        """The numbers in the protocol's alignment space."""
        numbers = self.converted(disparity=protocol.space == "disparity")
        return _log(numbers) if protocol.space == "log_depth" else numbers


def in_space(
    prediction: NDArray[np.floating], kind: DepthKind, protocol: SuiteDataset, size: tuple[int, ...]
) -> Values:
    """The prediction in the protocol's alignment space and at the target's size: float64 (H, W)."""
    converted = _converted(prediction, kind, protocol)
    full = resize_prediction(converted, (size[0], size[1]), protocol.upsample)
    wide = np.asarray(full, dtype=np.float64)
    return _log(wide) if protocol.space == "log_depth" else wide


def scored_numbers(
    prediction: NDArray[np.floating],
    kind: DepthKind,
    protocol: SuiteDataset,
    target: DepthMap,
    valid: NDArray[np.bool_],
) -> tuple[Values, Truth]:
    """The prediction in the protocol's space, (N,), and the target, at the N pixels of `valid` (H, W).

    Both lie in scratch memory. Maps too large for the cache are enlarged a strip of rows at a time: of 24 megapixels no
    full map is made.
    """
    converted = _converted(prediction, kind, protocol)
    height, width = valid.shape
    in_strips = protocol.upsample == "bilinear" and valid.size > _LARGE
    full = converted if in_strips else _full_size(converted, (height, width), protocol.upsample)
    step = max(1, _STRIP // width)
    tops = range(0, height, step)
    ends = np.cumsum([0, *(np.count_nonzero(valid[top : top + step]) for top in tops)])
    seen, stored = scratch("seen", ends[-1]), scratch("truth", ends[-1])

    def gather(top: int) -> None:
        rows = slice(top, min(top + step, height))
        strip = enlarged_rows(converted, (height, width), rows.start, rows.stop) if in_strips else full[rows]
        part = slice(ends[top // step], ends[top // step + 1])
        if part.stop - part.start == strip.size:  # no pixel is left out
            seen[part], stored[part] = strip.ravel(), target.values[rows].ravel()
            return
        places = np.flatnonzero(valid[rows])  # as a mask gathers five times slower
        strip.ravel().take(places, out=seen[part], mode="clip")
        picked = scratch("picked", places.size, target.values.dtype)
        target.values[rows].ravel().take(places, out=picked, mode="clip")
        stored[part] = picked

    in_order(gather, tops, threads_for(valid.size))
    spare = scratch("spare", ends[-1]) if in_strips else full.ravel()  # which is in the cache already
    return _log(seen) if protocol.space == "log_depth" else seen, Truth(target.kind, stored, spare)


def _converted(prediction: NDArray[np.floating], kind: DepthKind, protocol: SuiteDataset) -> Values:
    if kind.is_disparity != (protocol.space == "disparity"):
        return (to_disparity if protocol.space == "disparity" else to_depth)(prediction, kind)
    wide: Values = scratch("prediction", prediction.size).reshape(prediction.shape)
    np.copyto(wide, prediction)
    return wide


def _full_size(prediction: Values, size: Size, method: Upsample) -> Values:
    out = scratch("full", size[0] * size[1]).reshape(size)
    return np.asarray(resize_prediction(prediction, size, method, out=out), np.float64)


def _log(depth: Values) -> Values:
    with np.errstate(divide="ignore", invalid="ignore"):
        logarithm: Values = np.log(depth)
    return logarithm
