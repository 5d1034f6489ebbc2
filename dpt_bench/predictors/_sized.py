"""What predictors share whose network takes normalised images: size, batches, one image alone."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dpt_bench.core.kinds import DepthKind
from dpt_bench.core.suite import ResizeRule
from dpt_bench.predictors._batches import Batches
from dpt_bench.predictors._contract import Prediction, Query
from dpt_bench.predictors._single import predict_image
from dpt_bench.predictors._sizes import InputSize, network_input


class SizedPredictor(ABC):
    """Brings images to the network's size and calls `_run` on batches of one size.

    A network made for 384 pixels follows the suite's resize rule; one made for another size keeps the rule but for its
    size, which becomes the network's own, and says so: `preprocessing` is "own".
    """

    def __init__(
        self,
        name: str,
        kind: DepthKind,
        input_size: InputSize,
        *,
        normalisation: tuple[Sequence[float], Sequence[float]],
        batch_size: int,
    ) -> None:
        self.name = name
        self.kind = kind
        self.input_size = input_size
        self.preprocessing: Literal["suite", "own"] = "suite" if input_size.follows_suite else "own"
        self.checkpoint_sha256: str | None = None
        self.trained_on: tuple[str, ...] = ()
        self._batches = Batches(batch_size)
        self._normalisation = tuple(np.asarray(one, np.float64) for one in normalisation)

    def predict(self, queries: Sequence[Query], size_rule: ResizeRule | None) -> list[Prediction]:
        """Predictions at the network's output size; without a rule, the released code's."""
        sizes = [self.input_size.of(query.image, size_rule) for query in queries]

        def forward(places: list[int]) -> list[Prediction]:
            size = sizes[places[0]]
            inputs = np.stack([self._seen(queries[place].image, size_rule) for place in places])
            return [Prediction(values, size) for values in self._run(inputs)]

        return self._batches.run(sizes, forward)

    def input_words(self, size_rule: ResizeRule | None) -> str:
        return self.input_size.words(size_rule)

    def __call__(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        return predict_image(self, image)

    def _seen(self, image: NDArray[np.uint8], size_rule: ResizeRule | None) -> NDArray[np.float32]:
        """One image as the network sees it: (3, h, w)."""
        size, rule = self.input_size.of(image, size_rule), self.input_size.rule(size_rule)
        return network_input(image, size, rule, self._normalisation)

    @abstractmethod
    def _run(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Normalised images (B, 3, h, w) -> what the network says of them (B, h', w')."""
