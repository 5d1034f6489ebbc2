"""`predictions:FOLDER`: what another program predicted, <dataset>/<key>.npy; predictions.toml says what it is."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dpt_bench.core.errors import SampleError, UsageError
from dpt_bench.core.kinds import DepthKind
from dpt_bench.core.suite import ResizeRule
from dpt_bench.core.toml import Strict, load_toml
from dpt_bench.formats import npy
from dpt_bench.predictors._contract import Prediction, Predictor, PredictorOptions, Query


class Description(Strict):
    """predictions.toml. kind: what the numbers mean. trained_on: recipe names."""

    name: str
    kind: DepthKind
    trained_on: tuple[str, ...] = ()


@dataclass
class Predictions:
    """Float arrays (h, w) of any size, read as they are asked for.

    checkpoint_sha256: of the files' names, sizes and times, so that new predictions are never taken for old ones.
    """

    folder: Path
    name: str
    kind: DepthKind
    trained_on: tuple[str, ...]
    checkpoint_sha256: str | None
    preprocessing: Literal["suite", "own"] = "own"

    def predict(self, queries: Sequence[Query], size_rule: ResizeRule | None) -> list[Prediction]:
        """The stored arrays.

        Raises:
            SampleError: there is none for an image, or it is not a two-dimensional array of numbers.
        """
        del size_rule
        return [self._read(query) for query in queries]

    def __call__(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        del image
        raise UsageError(f"{self.name} holds stored predictions and cannot look at another image", where=self.folder)

    def _read(self, query: Query) -> Prediction:
        path = self.folder / query.dataset / f"{query.key}.npy"
        try:
            values = npy.decode(path.read_bytes())
        except OSError:
            raise SampleError("missing-prediction", "no prediction for this image", where=path) from None
        if values.ndim != 2 or values.dtype.kind not in "fiu":
            message = f"a prediction must be numbers (h, w), got {values.dtype} {values.shape}"
            raise SampleError("bad-prediction", message, where=path)
        return Prediction(values.astype(np.float32), (values.shape[0], values.shape[1]))


def load(argument: str, options: PredictorOptions) -> Predictor:
    """The predictions in a folder.

    Raises:
        UsageError: no such folder, or its predictions.toml is missing or wrong.
    """
    del options
    folder = Path(argument)
    if not folder.is_dir():
        raise UsageError("no such folder of predictions", where=folder, fix="check the path")
    about = load_toml(folder / "predictions.toml", Description)
    return Predictions(folder, about.name, about.kind, about.trained_on, _fingerprint(folder))


def _fingerprint(folder: Path) -> str:
    stats = ((file.relative_to(folder).as_posix(), file.stat()) for file in sorted(folder.rglob("*.npy")))
    lines = (f"{name} {stat.st_size} {stat.st_mtime_ns}\n" for name, stat in stats)
    return hashlib.sha256("".join(lines).encode()).hexdigest()
