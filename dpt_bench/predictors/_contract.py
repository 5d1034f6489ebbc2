"""The contract of a predictor: RGB image in, prediction out, with a declared kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from dpt_bench.core.kinds import DepthKind
from dpt_bench.core.sample import Camera
from dpt_bench.core.suite import ResizeRule


@dataclass(frozen=True)
class Query:
    """What a predictor may know: image RGB uint8 (H, W, 3), and where it comes from."""

    image: NDArray[np.uint8]
    dataset: str = ""
    key: str = ""
    camera: Camera | None = None


@dataclass(frozen=True)
class Prediction:
    """values: float32 (h, w) at the network's own output size; input_size: (height, width) the network saw."""

    values: NDArray[np.float32]
    input_size: tuple[int, int]


class Predictor(Protocol):
    """Everything that can be evaluated.

    name: of the model and of what was set beside its defaults, for numbers of one name must be comparable.
    preprocessing: "suite" follows the size rule it is given; "own" brings images to its own size and ignores the rule.
    """

    name: str
    kind: DepthKind
    preprocessing: Literal["suite", "own"]
    checkpoint_sha256: str | None
    trained_on: tuple[str, ...]

    def predict(self, queries: Sequence[Query], size_rule: ResizeRule | None) -> list[Prediction]:
        """Predictions in the order of the queries, each at any size; the caller resizes them to the target.

        Numbers that are not finite are handed on as they are: whoever scores or stores them must say so.

        Raises:
            SampleError: one of the images cannot be predicted.
        """
        ...

    def input_words(self, size_rule: ResizeRule | None) -> str:
        """How images come to the network's size, for tables and pages, where a suite asks for `size_rule`."""
        ...

    def __call__(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Prediction for one RGB uint8 (H, W, 3) image, brought to the image's size: float32 (H, W)."""
        ...


@dataclass(frozen=True)
class PredictorOptions:
    """What a user may set for any predictor; `extra` holds what follows the model's name, `,kind=metric_depth`."""

    device: str = "cpu"
    precision: Literal["fp32", "bf16"] = "fp32"
    batch_size: int = 8
    variant: str | None = None
    extra: dict[str, str] = field(default_factory=dict)
