"""Share of point pairs that are ordered wrongly, all weighing the same; a tie is wrong, as no pair is labelled equal.

Public codes disagree on ties: princeton-vl/YouTube3D counts them as wrong, as here; the Torch original takes a tie for
'>', SamsungLabs/geometry-preserving-de for '<'.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dpt_bench.metrics._contract import Order, OrdinalMetric


def _whdr(order: Order, farther: NDArray[np.bool_]) -> float:
    return float(np.mean(order != np.where(farther, 1, -1)))


METRIC = OrdinalMetric(
    title="WHDR",
    unit="fraction",
    higher_is_better=False,
    citation="Chen, Fu, Yang, Deng, NeurIPS 2016 (DIW); all weights 1, threshold 0",
    function=_whdr,
)
