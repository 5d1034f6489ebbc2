'''`python:FILE`: any model at all, behind one function of a Python file of yours.

```python
"""my_model.py: what `dpt-bench zeroshot --model my_model.py` calls."""

KIND = "affine_disparity"  # what the numbers mean; see `dpt_bench.core.kinds.DepthKind`


def predict(image):
    """RGB uint8 (H, W, 3) -> numbers (h, w) of any size: an array, or a tensor on any device."""
    return image.mean(axis=2) / 255
```

The file runs once; models are loaded at its top. What else it may define:

- `predict_batch(images)` instead of `predict`: a list of images of one size -> a list of maps.
- a second parameter `device` of either function: what the user chose, "cpu" or "cuda:0".
- `TRAINED_ON = ("nyu", "kitti")`: recipe names.
- `FILES = ("weights.pt",)`: beside the Python file; their content tells one version of the model from another.
'''

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from dpt_bench.core.catalog import load_plugin
from dpt_bench.core.errors import UsageError
from dpt_bench.core.kinds import DepthKind
from dpt_bench.core.provenance import sha256_of_file
from dpt_bench.core.suite import ResizeRule
from dpt_bench.predictors._batches import Batches
from dpt_bench.predictors._contract import Prediction, Predictor, PredictorOptions, Query
from dpt_bench.predictors._declared import check_known, declared_name, declared_training, kind_named
from dpt_bench.predictors._single import predict_image

Image = NDArray[np.uint8]
OPTIONS = ("kind", "name", "trained_on")


@dataclass
class PythonPredictor:
    """A function of the user's."""

    name: str
    kind: DepthKind
    function: Callable[[list[Image]], Sequence[Any]]
    batches: Batches
    checkpoint_sha256: str | None
    trained_on: tuple[str, ...]
    preprocessing: Literal["suite", "own"] = "own"

    def predict(self, queries: Sequence[Query], size_rule: ResizeRule | None) -> list[Prediction]:
        """What the function returns; the rule is ignored."""
        del size_rule
        sizes = [(query.image.shape[0], query.image.shape[1]) for query in queries]

        def forward(places: list[int]) -> list[Prediction]:
            maps = self.function([queries[place].image for place in places])
            if len(maps) != len(places):
                raise UsageError(f"predict_batch returned {len(maps)} maps for {len(places)} images", where=self.name)
            return [Prediction(self._checked(values), sizes[places[0]]) for values in maps]

        return self.batches.run(sizes, forward)

    def input_words(self, size_rule: ResizeRule | None) -> str:
        del size_rule
        return "the function's own"

    def __call__(self, image: Image) -> NDArray[np.float32]:
        return predict_image(self, image)

    def _checked(self, values: Any) -> NDArray[np.float32]:
        if hasattr(values, "detach"):
            values = values.detach().float().cpu().numpy()
        array = np.asarray(values)
        if array.ndim != 2 or array.dtype.kind not in "fiu" or array.size == 0:
            raise UsageError(
                f"a prediction must be numbers (h, w), got {array.dtype} {array.shape}",
                where=self.name,
                fix="return one map an image, without axes for the batch or channels",
            )
        return array.astype(np.float32)


def load(argument: str, options: PredictorOptions) -> Predictor:
    """The predictor that a Python file defines; see the top of this module.

    Raises:
        UsageError: no such file, or it does not define what it must.
    """
    check_known("python", options, OPTIONS)
    path = Path(argument)
    if not path.name.endswith(".py"):
        raise UsageError("a Python file ends in .py", where=path, fix="give python:FILE.py")
    module = load_plugin("dpt_bench.predictors", str(path), kind="predictor")
    kind = options.extra.get("kind", getattr(module, "KIND", None))
    if kind is None:
        fix = f'write KIND = "affine_disparity" in it, or add ,kind=... ({", ".join(DepthKind)})'
        raise UsageError("the file does not say what its numbers mean", where=path, fix=fix)
    name = declared_name(path.stem, options)
    trained_on = declared_training(options, tuple(getattr(module, "TRAINED_ON", ())))
    function = _function(module, path, options.device)
    return PythonPredictor(
        name, kind_named(kind), function, Batches(options.batch_size), _fingerprint(module, path), trained_on
    )


def _function(module: ModuleType, path: Path, device: str) -> Callable[[list[Image]], Sequence[Any]]:
    names = [name for name in ("predict", "predict_batch") if callable(getattr(module, name, None))]
    if len(names) != 1:
        found = " and ".join(names) or "neither"
        raise UsageError(f"the file must define predict or predict_batch, found {found}", where=path, fix="keep one")
    function = getattr(module, names[0])
    given = {"device": device} if "device" in inspect.signature(function).parameters else {}
    if names[0] == "predict_batch":
        return lambda images: list(function(images, **given))
    return lambda images: [function(image, **given) for image in images]


def _fingerprint(module: ModuleType, path: Path) -> str:
    files = [path, *(path.parent / file for file in getattr(module, "FILES", ()))]
    missing = [file for file in files if not file.is_file()]
    if missing:
        raise UsageError("a file that FILES names was not found", where=missing[0], fix="check the path")
    return hashlib.sha256("".join(map(sha256_of_file, files)).encode()).hexdigest()
