"""Root mean square error of disparity, the target scaled to [0, 1] in each image: the ablation metric of MiDaS."""

from __future__ import annotations

import numpy as np

from dpt_bench.core.kinds import DepthKind
from dpt_bench.metrics._contract import Metric, Values
from dpt_bench.metrics._forms import root_mean_square


def _rmse_of_range(prediction: Values, target: Values) -> float:
    extent = np.ptp(target)
    return root_mean_square(prediction, target) / float(extent) if extent > 0 else float("nan")


METRIC = Metric(
    title="RMSE (disparity)",
    unit="fraction",  # of the range of the image's target
    higher_is_better=False,
    needs=DepthKind.AFFINE_DISPARITY,
    citation="Ranftl et al., TPAMI 2022, ablations (targets shifted and scaled to [0, 1]; RMSE in disparity space)",
    function=_rmse_of_range,
)
