"""One image through any predictor, for the `__call__` of each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dpt_bench.core.errors import UsageError
from dpt_bench.predictors._contract import Predictor, Query
from dpt_bench.resize import resize_prediction


def predict_image(predictor: Predictor, image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Prediction for one RGB uint8 (H, W, 3) image, bilinearly brought to its size: float32 (H, W).

    Raises:
        UsageError: the array is no such image.
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise UsageError(f"an image must be RGB uint8 (H, W, 3), got {image.dtype} {image.shape}")
    values = predictor.predict([Query(image)], None)[0].values
    return resize_prediction(values, (image.shape[0], image.shape[1]), "bilinear").astype(np.float32, copy=False)
