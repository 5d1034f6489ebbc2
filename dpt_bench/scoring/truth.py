"""The target's side of a score: an image's scored numbers, as depth, as disparity, as logarithms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dpt_bench.core.kinds import DepthKind
from dpt_bench.core.scratch import scratch
from dpt_bench.core.suite import SuiteDataset

Values = NDArray[np.float64]


@dataclass
class Truth:
    """An image's scored target numbers (N,) of `kind`; their reciprocals are made when they are asked for."""

    kind: DepthKind
    stored: Values
    turned: Values | None = None

    def converted(self, *, disparity: bool) -> Values:
        """The numbers as disparity or as depth."""
        if self.kind.is_disparity == disparity:
            return self.stored
        if self.turned is None:
            assert not self.kind.is_affine, "check_target refuses this"
            self.turned = scratch("turned truth", self.stored.size)
            np.reciprocal(self.stored, out=self.turned)  # scored pixels are finite and positive
        return self.turned

    def known(self, *, disparity: bool) -> Values | None:
        """The same, None where they have not been made."""
        return self.stored if self.kind.is_disparity == disparity else self.turned

    def in_space(self, protocol: SuiteDataset) -> Values:
        """The numbers in the protocol's alignment space."""
        numbers = self.converted(disparity=protocol.space == "disparity")
        return logarithm(numbers) if protocol.space == "log_depth" else numbers


def logarithm(depth: Values) -> Values:
    """Ln of depth, not finite where it is not positive."""
    with np.errstate(divide="ignore", invalid="ignore"):
        logarithm: Values = np.log(depth)
    return logarithm
