"""Networks that follow a suite's resize rule, at their own size where that is another than the suites' 384 pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dpt_bench.core.suite import ResizeRule
from dpt_bench.resize import midas_size, network_size, resize_image

SUITE_SIZE = 384
"""Side of the networks that the suites' resize rules were written for (Ranftl et al., TPAMI 2022; ICCV 2021)."""

Size = tuple[int, int]


@dataclass(frozen=True)
class InputSize:
    """How images come to a network's size.

    wanted: (height, width) it was made for. own_side: the rule of the released code, which holds without a suite.
    free: of an "exact" size, the side that follows the image's aspect instead, in multiples of `multiple_of`.
    """

    wanted: Size
    own_side: Literal["minimal", "upper_bound", "exact"] = "minimal"
    multiple_of: int = 32
    free: Literal["height", "width"] | None = None

    @property
    def follows_suite(self) -> bool:
        return self.wanted == (SUITE_SIZE, SUITE_SIZE) and self.own_side != "exact" and self.multiple_of == 32

    def rule(self, size_rule: ResizeRule | None) -> ResizeRule:
        """The rule in force where a suite asks for `size_rule`: the same, but for the size of the network."""
        if size_rule is None or self.own_side == "exact":
            return ResizeRule(side=self.own_side, size=max(self.wanted), multiple_of=self.multiple_of)
        if self.follows_suite:
            return size_rule
        size = min(self.wanted) if size_rule.side == "shorter" else max(self.wanted)
        return size_rule.model_copy(update={"size": size, "multiple_of": self.multiple_of})

    def of(self, image: NDArray[np.uint8], size_rule: ResizeRule | None) -> Size:
        """(height, width) at which the network sees an image."""
        rule = self.rule(size_rule)
        size = (image.shape[0], image.shape[1])
        if size_rule is not None and self.follows_suite:
            return network_size(*size, rule)
        if rule.side == "exact":
            return self.wanted if self.free is None else self._with_a_free_side(size)
        if rule.side in ("minimal", "upper_bound", "lower_bound"):
            return midas_size(size, self.wanted, rule.side, rule.multiple_of)
        return network_size(*size, rule)

    def words(self, size_rule: ResizeRule | None) -> str:
        """For tables and pages, and complete: what brings an image to another size has other words."""
        height, width = self.wanted
        side = f"{width}" if width == height else f"{width} x {height}"
        if self.free is not None:
            fixed = f"height {height}" if self.free == "width" else f"width {width}"
            return f"{fixed}, {self.free} by the aspect in multiples of {self.multiple_of}, cubic"
        if self.own_side == "exact":
            return f"squashed to {width} x {height}"
        if size_rule is None:
            return f"{self.own_side} {side}, multiple of {self.multiple_of}, cubic"
        if self.follows_suite:
            return size_rule.words
        multiple = "" if self.multiple_of == size_rule.multiple_of else f" and multiples of {self.multiple_of}"
        return f"{size_rule.words}, with {side} pixels for {SUITE_SIZE}{multiple}"

    def _with_a_free_side(self, size: Size) -> Size:
        height, width = size
        is_longer = (height >= width) == (self.free == "width")  # whether the fixed side is the image's longer one
        fixed = self.wanted[0 if self.free == "width" else 1]
        side: Literal["longer", "shorter"] = "longer" if is_longer else "shorter"
        return network_size(height, width, ResizeRule(side=side, size=fixed, multiple_of=self.multiple_of))


def network_input(
    image: NDArray[np.uint8], size: Size, rule: ResizeRule, normalisation: tuple[NDArray[np.float64], ...]
) -> NDArray[np.float32]:
    """What the network sees: (3, height, width), by (mean, std).

    Scaled to [0, 1] before the resize and all in float64, as released: cubic overshoot is neither rounded nor clipped.
    """
    mean, std = normalisation
    resized = resize_image(image / 255.0, size, rule.interpolation)
    normalised: NDArray[np.float32] = ((resized - mean) / std).astype(np.float32)
    return normalised.transpose(2, 0, 1)
