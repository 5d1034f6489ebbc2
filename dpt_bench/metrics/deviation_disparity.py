"""Relative absolute deviation of disparity where the target's zero is unknown: the ablation metric of DPT."""

from __future__ import annotations

import numpy as np

from dpt_bench.core.kinds import DepthKind
from dpt_bench.metrics._contract import Metric, Values


def _deviation(prediction: Values, target: Values) -> float:
    above_smallest = float((target - target.min()).sum())
    return float(np.abs(prediction - target).sum()) / above_smallest if above_smallest > 0 else float("nan")


METRIC = Metric(
    title="deviation (disparity)",
    unit="fraction",
    higher_is_better=False,
    needs=DepthKind.AFFINE_DISPARITY,
    citation="DPT (Ranftl et al., ICCV 2021), section 4.3; sum |d - d*| / sum (d* - min d*), as reconstructed here",
    function=_deviation,
)
