"""`baseline:constant`, `:ramp`, `:ground`: what a model must beat to have looked at the image at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dpt_bench.core.errors import UnknownNameError
from dpt_bench.core.kinds import DepthKind
from dpt_bench.core.suite import ResizeRule
from dpt_bench.predictors._contract import Prediction, Predictor, PredictorOptions, Query
from dpt_bench.predictors._declared import check_known
from dpt_bench.predictors._single import predict_image

Draw = Callable[[int, int], NDArray[np.float32]]


@dataclass
class Baseline:
    """The same map for every image of a size."""

    name: str
    draw: Draw
    kind: DepthKind = DepthKind.AFFINE_DISPARITY
    preprocessing: Literal["suite", "own"] = "own"
    checkpoint_sha256: str | None = None
    trained_on: tuple[str, ...] = ()

    def predict(self, queries: Sequence[Query], size_rule: ResizeRule | None) -> list[Prediction]:
        """Drawn at each image's own size; the rule is ignored."""
        del size_rule
        sizes = [(query.image.shape[0], query.image.shape[1]) for query in queries]
        return [Prediction(self.draw(*size), size) for size in sizes]

    def input_words(self, size_rule: ResizeRule | None) -> str:
        del size_rule
        return "not resized"

    def __call__(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        return predict_image(self, image)


def constant(height: int, width: int) -> NDArray[np.float32]:
    """One disparity everywhere: aligned by least squares, the best constant for the image."""
    return np.ones((height, width), dtype=np.float32)


def ramp(height: int, width: int) -> NDArray[np.float32]:
    """Disparity 0 in the top row to 1 in the bottom row: the ground comes nearer downwards."""
    return np.repeat(np.linspace(0, 1, height, dtype=np.float32)[:, None], width, axis=1)


def ground(height: int, width: int) -> NDArray[np.float32]:
    """Metric depth, in m, of flat ground 1.6 m below a level camera that sees 80 degrees across; 80 m at most."""
    focal = width / 2 / np.tan(np.radians(40))
    below_horizon = np.arange(height) + 0.5 - height / 2
    depth_m = 1.6 * focal / np.maximum(below_horizon, 1.6 * focal / 80)
    return np.repeat(depth_m.astype(np.float32)[:, None], width, axis=1)


BASELINES: dict[str, tuple[Draw, DepthKind]] = {
    "constant": (constant, DepthKind.AFFINE_DISPARITY),
    "ramp": (ramp, DepthKind.AFFINE_DISPARITY),
    "ground": (ground, DepthKind.METRIC_DEPTH),
}


def load(argument: str, options: PredictorOptions) -> Predictor:
    """The baseline of this name.

    Raises:
        UnknownNameError: there is none.
    """
    check_known("baseline", options, ())
    if argument not in BASELINES:
        raise UnknownNameError("baseline", argument, BASELINES)
    return Baseline(f"baseline:{argument}", *BASELINES[argument])
