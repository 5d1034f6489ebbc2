"""The rules by which the makers of 3D Movies and WSVD refuse a frame whose flow is no disparity.

Source: get_disp_and_uncertainty.py of lasinger/3DVideos2Stereo, for Ranftl et al., TPAMI 2022, appendix, and Wang et
al., 3DV 2019. Each rule says in which direction equality falls, as that script does. None of them sees the sign: with
the eyes swapped every number below stays the same, so only `eye_order` of a recipe can put that right.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dpt_bench.core.errors import SampleError

Flow = NDArray[np.float32]


@dataclass(frozen=True)
class Rules:
    """Thresholds in pixels of a flow that is `threshold_width` wide; 0: of the flow at hand, whatever its width.

    vertical_px, vertical_fraction: refused where at least this share of the pixels moves more than so far up or down.
    range_px: refused where the horizontal flow spans no more than this.
    consistent_px, consistent_fraction: refused where no more than this share has a left-right difference below so much.
    """

    vertical_px: float
    vertical_fraction: float
    range_px: float
    consistent_px: float
    consistent_fraction: float
    threshold_width: float = 0.0

    def at_width(self, width: int) -> Rules:
        """The same rules in pixels of a flow of this width."""
        if self.threshold_width <= 0:
            return self
        factor = width / self.threshold_width
        return replace(
            self,
            vertical_px=self.vertical_px * factor,
            range_px=self.range_px * factor,
            consistent_px=self.consistent_px * factor,
            threshold_width=0.0,
        )


def check_flow(forward: Flow, backward: Flow, difference: NDArray[np.float32], rules: Rules) -> None:
    """Refuse flow between the eyes, float32 (H, W, 2) in pixels, by rules that are scaled to its width.

    difference: (H, W), of `left_right_difference`. Unknown flow (NaN) neither moves nor spans, and is not consistent.

    Raises:
        SampleError: "vertical-disparity", "small-range" or "inconsistent-flow", in this order.
    """
    for flow, eye in ((forward, "forward"), (backward, "backward")):
        moving = _share(np.abs(flow[..., 1]) > rules.vertical_px)
        if moving >= rules.vertical_fraction:
            raise SampleError(
                "vertical-disparity",
                f"{moving:.1%} of the {eye} flow moves more than {rules.vertical_px:g} px up or down, "
                f"{rules.vertical_fraction:.0%} is too much",
            )
    for flow in (forward, backward):
        check_range(flow[..., 0], rules)
    check_consistency(difference, rules)


def check_range(horizontal: NDArray[np.float32], rules: Rules) -> None:
    """Refuse horizontal flow or disparity (H, W) that is nearly the same everywhere.

    Raises:
        SampleError: "small-range".
    """
    span = float(np.fmax.reduce(horizontal, axis=None) - np.fmin.reduce(horizontal, axis=None))
    if not span > rules.range_px:  # also where all is NaN
        raise SampleError(
            "small-range", f"the horizontal flow spans {span:.2f} px, more than {rules.range_px:g} px are needed"
        )


def check_consistency(difference: NDArray[np.floating], rules: Rules) -> None:
    """Refuse a frame in which too few pixels find their way back.

    Raises:
        SampleError: "inconsistent-flow".
    """
    passing = _share(difference < rules.consistent_px)
    if passing <= rules.consistent_fraction:
        raise SampleError(
            "inconsistent-flow",
            f"{passing:.1%} of the pixels pass the left-right check, "
            f"more than {rules.consistent_fraction:.0%} are needed",
        )


def _share(mask: NDArray[np.bool_]) -> float:
    return np.count_nonzero(mask) / max(mask.size, 1)
