"""What a network sees while it learns: input, prediction, target and error of a few validation images on one sheet."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from dpt_bench.alignment import fit_scale_and_shift
from dpt_bench.loading import Batch
from dpt_bench.render.colour import colourise, colourise_error
from dpt_bench.render.montage import montage

Image = NDArray[np.uint8]
TITLES = ("input", "prediction", "target", "error, 0 to 0.3")
ERROR_LIMIT = 0.3


@dataclass
class Pictures:
    """Rows of the sheet: the first few images of each dataset, `per_dataset` at most."""

    per_dataset: int
    rows: list[list[Image]] = field(default_factory=list)
    _taken: dict[int, int] = field(default_factory=dict)

    def add(self, prediction: Tensor, batch: Batch) -> None:
        """Take what is wanted of a batch, on any device; (B, H, W) predictions."""
        wanted = []
        for place, dataset in enumerate(batch.dataset.tolist()):
            if self._taken.get(dataset, 0) < self.per_dataset:
                self._taken[dataset] = self._taken.get(dataset, 0) + 1
                wanted.append(place)
        if not wanted:
            return
        images = batch.images[wanted].permute(0, 2, 3, 1).contiguous()
        columns = (images, prediction[wanted].double(), batch.target[wanted].double(), batch.valid[wanted])
        for row in zip(*(column.cpu().numpy() for column in columns), strict=True):
            self.rows.append(_row(*row))

    def sheet(self) -> Image | None:
        """RGB uint8 (H, W, 3); None without images."""
        titles = [list(TITLES), *([""] * len(TITLES) for _ in self.rows[1:])]
        return montage(self.rows, titles) if self.rows else None


def _row(
    image: Image, prediction: NDArray[np.float64], target: NDArray[np.float64], valid: NDArray[np.bool_]
) -> list[Image]:
    fit = fit_scale_and_shift(prediction, target, valid)
    aligned = fit.scale * prediction + fit.shift
    return [
        image,
        colourise(aligned, low=0.0, high=1.0),
        colourise(target, valid, low=0.0, high=1.0),
        colourise_error(np.abs(aligned - target), valid, limit=ERROR_LIMIT),
    ]
