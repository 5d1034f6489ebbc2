"""Root mean square error of the natural logarithm of depth."""

from __future__ import annotations

import numpy as np

from dpt_bench.core.kinds import DepthKind
from dpt_bench.metrics._contract import Metric, Values
from dpt_bench.metrics._forms import log_ratio


def _rmse_log(prediction: Values, target: Values) -> float:
    return float(np.sqrt(np.square(log_ratio(prediction, target)).mean()))


METRIC = Metric(
    title="RMSE log",
    unit="log",
    higher_is_better=False,
    needs=DepthKind.SCALE_INVARIANT_DEPTH,
    citation="Eigen, Puhrsch, Fergus, NeurIPS 2014; DPT (Ranftl et al., ICCV 2021), Table 3",
    function=_rmse_log,
)
