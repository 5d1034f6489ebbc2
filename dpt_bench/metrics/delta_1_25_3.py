"""Share of pixels with max(z/z*, z*/z) < 1.25 cubed."""

from __future__ import annotations

from dpt_bench.core.kinds import DepthKind
from dpt_bench.metrics._contract import Metric
from dpt_bench.metrics._forms import share_within

METRIC = Metric(
    title="δ < 1.25³",
    unit="fraction",
    higher_is_better=True,
    needs=DepthKind.SCALE_INVARIANT_DEPTH,
    citation="Eigen, Puhrsch, Fergus, NeurIPS 2014",
    function=share_within(1.25**3),
)
