"""Root mean square error of depth in metres."""

from __future__ import annotations

from dpt_bench.core.kinds import DepthKind
from dpt_bench.metrics._contract import Metric
from dpt_bench.metrics._forms import root_mean_square

METRIC = Metric(
    title="RMSE",
    unit="m",
    higher_is_better=False,
    needs=DepthKind.METRIC_DEPTH,
    citation="Eigen, Puhrsch, Fergus, NeurIPS 2014",
    function=root_mean_square,
)
