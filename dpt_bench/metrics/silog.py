"""Standard deviation of the logarithmic error g = ln z - ln z*: sqrt(mean g^2 - (mean g)^2), not times 100."""

from __future__ import annotations

from dpt_bench.core.kinds import DepthKind
from dpt_bench.metrics._contract import Metric, Values
from dpt_bench.metrics._forms import log_ratio


def _silog(prediction: Values, target: Values) -> float:
    return float(log_ratio(prediction, target).std())


METRIC = Metric(
    title="SIlog",
    unit="log",
    higher_is_better=False,
    needs=DepthKind.SCALE_INVARIANT_DEPTH,
    citation="Eigen, Puhrsch, Fergus, NeurIPS 2014, scale-invariant error; its root, weight of the second term 1",
    function=_silog,
)
