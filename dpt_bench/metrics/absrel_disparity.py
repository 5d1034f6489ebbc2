"""Mean absolute relative error of disparity, as Depth Anything reports it."""

from __future__ import annotations

from dpt_bench.core.kinds import DepthKind
from dpt_bench.metrics._contract import Metric
from dpt_bench.metrics._forms import mean_relative_error

METRIC = Metric(
    title="AbsRel (disparity)",
    unit="fraction",
    higher_is_better=False,
    needs=DepthKind.SCALE_INVARIANT_DISPARITY,
    citation="Yang et al., Depth Anything, CVPR 2024; computed in disparity by its author's word",
    function=mean_relative_error,
)
