"""Mean squared relative error 1/N sum (z - z*)^2 / z* in metres, as is common: the target is not squared."""

from __future__ import annotations

import numpy as np

from dpt_bench.core.kinds import DepthKind
from dpt_bench.metrics._contract import Metric, Values


def _sq_rel(prediction: Values, target: Values) -> float:
    return float((np.square(prediction - target) / target).mean())


METRIC = Metric(
    title="SqRel",
    unit="m",
    higher_is_better=False,
    needs=DepthKind.METRIC_DEPTH,
    citation="Eigen, Puhrsch, Fergus, NeurIPS 2014",
    function=_sq_rel,
)
