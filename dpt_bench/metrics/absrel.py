"""Mean absolute relative error of depth: 1/N sum |z - z*| / z*."""

from __future__ import annotations

from dpt_bench.core.kinds import DepthKind
from dpt_bench.metrics._contract import Metric
from dpt_bench.metrics._forms import mean_relative_error

METRIC = Metric(
    title="AbsRel",
    unit="fraction",
    higher_is_better=False,
    needs=DepthKind.SCALE_INVARIANT_DEPTH,
    citation="Ranftl et al., TPAMI 2022 (arXiv 1907.01341v3), zero-shot protocol",
    function=mean_relative_error,
)
