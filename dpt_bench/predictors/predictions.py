"""`predictions:FOLDER`: what another program predicted, <dataset>/<key>.npy; predictions.toml says what it is.

```toml
name = "theirs"
kind = "metric_depth"      # what a number means, once it is multiplied by `scale`
scale = 0.00390625         # 1/256, for 16-bit PNG as KITTI stores depth; 1 where it is left out
invalid = 0.0              # the stored number that stands for "no prediction"
trained_on = ["kitti"]
```

Formats: npy, npz (one array), 16-bit grey png, pfm, exr (`channel` names one of several).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from dpt_bench.core.errors import FormatError, SampleError, UsageError
from dpt_bench.core.kinds import DepthKind
from dpt_bench.core.suite import ResizeRule
from dpt_bench.core.toml import Strict, load_toml
from dpt_bench.formats import exr, images, npy, npz, pfm
from dpt_bench.predictors._contract import Prediction, Predictor, PredictorOptions, Query
from dpt_bench.predictors._declared import check_known

Format = Literal["npy", "npz", "png", "pfm", "exr"]


class Description(Strict):
    """predictions.toml. kind: what the numbers mean, times scale. format: where files of several lie side by side."""

    name: str
    kind: DepthKind
    scale: float | None = Field(default=None, gt=0)
    invalid: float | None = None
    format: Format | None = None
    channel: str | None = None
    trained_on: tuple[str, ...] = ()


@dataclass
class Predictions:
    """Arrays (h, w) of any size, read as they are asked for.

    checkpoint_sha256: of the description and the files' names, sizes and times, so that new predictions are never taken
    for old ones.
    """

    folder: Path
    about: Description
    checkpoint_sha256: str | None
    preprocessing: Literal["suite", "own"] = "own"

    def __post_init__(self) -> None:
        self.name = self.about.name
        self.kind = self.about.kind
        self.trained_on = self.about.trained_on

    def predict(self, queries: Sequence[Query], size_rule: ResizeRule | None) -> list[Prediction]:
        """The stored arrays.

        Raises:
            SampleError: there is none for an image, or it is not a two-dimensional array of numbers.
        """
        del size_rule
        return [self._read(query) for query in queries]

    def input_words(self, size_rule: ResizeRule | None) -> str:
        del size_rule
        return "stored predictions"

    def __call__(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        del image
        raise UsageError(f"{self.name} holds stored predictions and cannot look at another image", where=self.folder)

    def _read(self, query: Query) -> Prediction:
        path = self._find(query)
        try:
            stored = _DECODE[path.suffix.removeprefix(".")](path.read_bytes(), self.about)
        except FormatError as error:
            raise SampleError("bad-prediction", error.what, where=path) from error
        except OSError as error:
            raise SampleError("bad-prediction", f"the file cannot be read: {error}", where=path) from error
        if stored.ndim != 2 or stored.dtype.kind not in "fiu" or stored.size == 0:
            message = f"a prediction must be numbers (h, w), got {stored.dtype} {stored.shape}"
            raise SampleError("bad-prediction", message, where=path)
        values = stored.astype(np.float32) if self.about.scale is None else _scaled(stored, self.about.scale)
        if self.about.invalid is not None:
            values[stored == self.about.invalid] = np.nan
        return Prediction(values, (values.shape[0], values.shape[1]))

    def _find(self, query: Query) -> Path:
        stem = self.folder / query.dataset / query.key
        endings = [self.about.format] if self.about.format else list(_DECODE)
        found = [path for path in (Path(f"{stem}.{ending}") for ending in endings) if path.is_file()]
        if not found:
            what = f"no prediction for this image ({', '.join(endings)})"
            raise SampleError("missing-prediction", what, where=stem)
        if len(found) > 1:
            what = f"several predictions for this image ({', '.join(path.name for path in found)}): set `format`"
            raise SampleError("bad-prediction", what, where=self.folder / "predictions.toml")
        return found[0]


def load(argument: str, options: PredictorOptions) -> Predictor:
    """The predictions in a folder.

    Raises:
        UsageError: no such folder, or its predictions.toml is missing or wrong.
    """
    check_known("predictions", options, ())
    folder = Path(argument)
    if not folder.is_dir():
        raise UsageError("no such folder of predictions", where=folder, fix="check the path")
    about = load_toml(folder / "predictions.toml", Description)
    files = sorted(file for file in folder.rglob("*") if file.suffix.removeprefix(".") in _DECODE)
    if about.kind.is_metric and about.scale is None and any(file.suffix == ".png" for file in files):
        raise UsageError(
            f"PNG files cannot hold {about.kind} without a scale",
            where=folder / "predictions.toml",
            fix="say what a stored number is multiplied by: scale = 0.00390625 for the 1/256 m of KITTI",
        )
    return Predictions(folder, about, _fingerprint(folder, files, about))


def _png(data: bytes, about: Description) -> NDArray[Any]:
    del about
    stored = images.decode_gray(data)
    if stored.dtype != np.uint16:
        raise FormatError("an 8-bit PNG is a picture, its 256 steps are too coarse for a prediction: write 16 bits")
    return stored


_DECODE: dict[str, Callable[[bytes, Description], NDArray[Any]]] = {
    "npy": lambda data, _: npy.decode(data),
    "npz": lambda data, _: npz.decode(data),
    "png": _png,
    "pfm": lambda data, _: pfm.decode(data),
    "exr": lambda data, about: exr.decode(data, about.channel),
}


def _scaled(stored: NDArray[Any], scale: float) -> NDArray[np.float32]:
    return (stored.astype(np.float64) * scale).astype(np.float32)


def _fingerprint(folder: Path, files: Sequence[Path], about: Description) -> str:
    stats = ((file.relative_to(folder).as_posix(), file.stat()) for file in files)
    lines = [f"{name} {stat.st_size} {stat.st_mtime_ns}\n" for name, stat in stats]
    return hashlib.sha256("".join([about.model_dump_json(), *lines]).encode()).hexdigest()
