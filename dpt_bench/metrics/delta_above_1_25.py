"""Share of pixels with max(z/z*, z*/z) > 1.25, the error that MiDaS and DPT report on KITTI, NYU and TUM."""

from __future__ import annotations

from dpt_bench.core.kinds import DepthKind
from dpt_bench.metrics._contract import Metric
from dpt_bench.metrics._forms import share_above

METRIC = Metric(
    title="δ > 1.25",
    unit="fraction",
    higher_is_better=False,
    needs=DepthKind.SCALE_INVARIANT_DEPTH,
    citation="Ranftl et al., TPAMI 2022 (arXiv 1907.01341v3), zero-shot protocol",
    function=share_above(1.25),
)
