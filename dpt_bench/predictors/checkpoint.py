"""A checkpoint of ours, or a released DPT or MiDaS file, as a predictor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from dpt_bench.core.errors import UsageError
from dpt_bench.core.provenance import sha256_of_file
from dpt_bench.core.suite import ResizeRule
from dpt_bench.model.checkpoint import is_ours, parse_checkpoint
from dpt_bench.model.dpt import DPT
from dpt_bench.model.load import load_model, model_of_checkpoint
from dpt_bench.model.tensor_file import read_tensors
from dpt_bench.predictors._contract import Prediction, Predictor, PredictorOptions, Query
from dpt_bench.predictors._single import predict_image
from dpt_bench.resize import network_size, resize_image

SUITE_SIZE = 384
"""Side of the networks that the suites' resize rules were written for (Ranftl et al., TPAMI 2022; ICCV 2021)."""


class CheckpointPredictor:
    """A network on a device.

    A network trained at 384 pixels follows the suite's resize rule; one trained at another size keeps the rule but for
    its size, which becomes the network's own, and says so: `preprocessing` is "own".
    """

    def __init__(self, name: str, model: DPT, options: PredictorOptions) -> None:
        spec = model.spec
        self.name = name
        self.kind = spec.kind
        self.preprocessing: Literal["suite", "own"] = "suite" if spec.train_size == SUITE_SIZE else "own"
        self.checkpoint_sha256: str | None = None
        self.trained_on: tuple[str, ...] = ()
        self._device = _device(options.device)
        self._model = model.to(self._device)
        self._options = options
        self._mean = np.asarray(spec.mean, dtype=np.float32)
        self._std = np.asarray(spec.std, dtype=np.float32)

    def predict(self, queries: Sequence[Query], size_rule: ResizeRule | None) -> list[Prediction]:
        """Predictions at the network's size; without a rule, the released code's: "minimal"."""
        rule = self.rule(size_rule)
        sizes = [network_size(query.image.shape[0], query.image.shape[1], rule) for query in queries]
        found: dict[int, Prediction] = {}
        for size in dict.fromkeys(sizes):
            members = [place for place, its_size in enumerate(sizes) if its_size == size]
            for start in range(0, len(members), self._options.batch_size):
                places = members[start : start + self._options.batch_size]
                images = np.stack([self._network_input(queries[place].image, size, rule) for place in places])
                for place, values in zip(places, self._forward(images), strict=True):
                    found[place] = Prediction(values, size)
        return [found[place] for place in range(len(queries))]

    def __call__(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        return predict_image(self, image)

    def rule(self, size_rule: ResizeRule | None) -> ResizeRule:
        """The resize rule in force where a suite asks for `size_rule`."""
        train_size = self._model.spec.train_size
        if size_rule is None:
            return ResizeRule(side="minimal", size=train_size)
        return size_rule if self.preprocessing == "suite" else size_rule.model_copy(update={"size": train_size})

    def _network_input(self, image: NDArray[np.uint8], size: tuple[int, int], rule: ResizeRule) -> NDArray[np.float32]:
        # Scaled to [0, 1] before the resize, as released: cubic overshoot is neither rounded nor clipped.
        resized = resize_image(image.astype(np.float32) / np.float32(255), size, rule.interpolation)
        normalised: NDArray[np.float32] = (resized - self._mean) / self._std
        return normalised.transpose(2, 0, 1)

    def _forward(self, images: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
        low = self._options.precision == "bf16"
        with torch.inference_mode(), torch.autocast(self._device.type, torch.bfloat16, enabled=low):
            output = self._model(torch.from_numpy(images).to(self._device))
        return iter(output.float().cpu().numpy())


def load(argument: str, options: PredictorOptions) -> Predictor:
    """The predictor of a checkpoint file, named after it, and after its folder too where every run has such a file.

    Raises:
        UsageError: no such file, a device that is not there, a network that predicts no depth.
        DataError: the file is damaged or fits no network.
    """
    path = Path(argument)
    content = read_tensors(path)
    if is_ours(content):
        checkpoint = parse_checkpoint(content, path)
        model, trained_on = model_of_checkpoint(checkpoint, path), checkpoint.trained_on
    else:
        model, trained_on = load_model(path, options.variant), ()
    if model.spec.head != "depth":
        raise UsageError("this network predicts classes, not depth", where=path, fix="give a depth checkpoint")
    predictor = CheckpointPredictor(_name(path), model, options)
    predictor.checkpoint_sha256 = sha256_of_file(path)
    predictor.trained_on = trained_on
    return predictor


def _name(path: Path) -> str:
    return f"{path.resolve().parent.name}/{path.stem}" if path.stem in ("best", "last", "ckpt") else path.stem


def _device(name: str) -> torch.device:
    try:
        device = torch.device(name)
    except RuntimeError:
        raise UsageError(f"unknown device {name!r}", fix="cpu, cuda or cuda:0") from None
    if device.type == "cuda" and not torch.cuda.is_available():
        raise UsageError("no CUDA device here", where=name, fix="use the device cpu")
    return device
