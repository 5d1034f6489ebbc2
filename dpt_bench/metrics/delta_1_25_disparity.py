"""Share of pixels with max(d/d*, d*/d) < 1.25 in disparity, as Depth Anything reports it."""

from __future__ import annotations

from dpt_bench.core.kinds import DepthKind
from dpt_bench.metrics._contract import Metric
from dpt_bench.metrics._forms import share_within

METRIC = Metric(
    title="δ < 1.25 (disparity)",
    unit="fraction",
    higher_is_better=True,
    needs=DepthKind.SCALE_INVARIANT_DISPARITY,
    citation="Yang et al., Depth Anything, CVPR 2024; computed in disparity by its author's word",
    function=share_within(1.25),
)
