"""Mean absolute difference of the decimal logarithms of depth."""

from __future__ import annotations

import numpy as np

from dpt_bench.core.kinds import DepthKind
from dpt_bench.metrics._contract import Metric, Values
from dpt_bench.metrics._forms import log_ratio


def _log10(prediction: Values, target: Values) -> float:
    return float(np.abs(log_ratio(prediction, target)).mean() / np.log(10.0))


METRIC = Metric(
    title="log10",
    unit="log10",
    higher_is_better=False,
    needs=DepthKind.SCALE_INVARIANT_DEPTH,
    citation="DPT (Ranftl et al., ICCV 2021), Table 2",
    function=_log10,
)
