"""A sample in memory: one RGB image with its target."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dpt_bench.core.errors import SampleError
from dpt_bench.core.kinds import DepthKind


@dataclass(frozen=True)
class Camera:
    """Pinhole intrinsics in pixels of the sample's image; baseline in metres where the set is stereo."""

    fx: float
    fy: float
    cx: float
    cy: float
    baseline_m: float | None = None


@dataclass(frozen=True)
class DepthMap:
    """A dense target.

    values: float32 (H, W) in the unit of `kind`; NaN where `valid` is False. Sky pixels are valid, and hold NaN where
        the file stores no usable number for them.
    valid: bool (H, W); sky belongs to the valid pixels unless the recipe's sky policy is "invalid".
    sky: bool (H, W), or None where the dataset has no sky signal.
    """

    values: NDArray[np.float32]
    kind: DepthKind
    valid: NDArray[np.bool_]
    sky: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        shapes = {self.values.shape, self.valid.shape} | (set() if self.sky is None else {self.sky.shape})
        if len(shapes) != 1 or self.values.ndim != 2:
            raise SampleError("shape-mismatch", f"values, valid and sky must share one (H, W) shape, got {shapes}")


@dataclass(frozen=True)
class OrdinalPairs:
    """Ordered point pairs, as in DIW.

    points: float64 (N, 2, 2): pair, point A or B, (x, y) in 0-based pixels of the original image.
    farther: bool (N,): True where A is farther than B.
    """

    points: NDArray[np.float64]
    farther: NDArray[np.bool_]


@dataclass(frozen=True)
class LabelMap:
    """Class indices: uint8 (H, W), `ignore` marks pixels that are not scored."""

    labels: NDArray[np.uint8]
    ignore: int = 255


Target = DepthMap | OrdinalPairs | LabelMap


@dataclass(frozen=True)
class Sample:
    """One image and its target.

    key: unique in the dataset, of [A-Za-z0-9_-] and "/" alone.
    image: RGB uint8 (H, W, 3).
    sources: paths of the raw files, relative to the dataset's root.
    """

    key: str
    image: NDArray[np.uint8]
    target: Target
    sources: tuple[str, ...]
    camera: Camera | None = None
    notes: dict[str, str | float | int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.image.ndim != 3 or self.image.shape[2] != 3 or self.image.dtype != np.uint8:
            raise SampleError(
                "bad-image", f"an image must be RGB uint8 (H, W, 3), got {self.image.dtype} {self.image.shape}"
            )
        shape = target_shape(self.target)
        if shape is not None and shape != self.image.shape[:2]:
            raise SampleError(
                "shape-mismatch", f"image is {self.image.shape[:2]} but its target is {shape} (height, width)"
            )


def target_shape(target: Target) -> tuple[int, int] | None:
    """(height, width) of a dense target, None for ordinal pairs."""
    if isinstance(target, OrdinalPairs):
        return None
    grid = target.values if isinstance(target, DepthMap) else target.labels
    return grid.shape[0], grid.shape[1]
