"""A checkpoint of ours, or a released DPT or MiDaS file, as a predictor."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import cast, get_args

import numpy as np
import torch
from numpy.typing import NDArray

from dpt_bench.core.errors import UnknownNameError, UsageError
from dpt_bench.core.provenance import sha256_of_file
from dpt_bench.model.dpt import DPT
from dpt_bench.model.inference import for_inference
from dpt_bench.model.layouts._hugging_face_folder import weight_files
from dpt_bench.model.load import load_with_origin
from dpt_bench.model.released_training import released_training
from dpt_bench.model.spec import Readout
from dpt_bench.predictors._contract import Predictor, PredictorOptions
from dpt_bench.predictors._declared import check_known, declared_name, declared_training
from dpt_bench.predictors._device import find_device
from dpt_bench.predictors._sized import SizedPredictor
from dpt_bench.predictors._sizes import InputSize
from dpt_bench.resize import Size

OPTIONS = ("name", "readout", "trained_on", "variant")


class CheckpointPredictor(SizedPredictor):
    """A network on a device."""

    def __init__(self, name: str, model: DPT, options: PredictorOptions) -> None:
        spec = model.spec
        size = InputSize(spec.input_size or (spec.train_size, spec.train_size), spec.input_rule)
        super().__init__(name, spec.kind, size, normalisation=(spec.mean, spec.std), batch_size=options.batch_size)
        self.device = find_device(options.device)
        self.model = for_inference(model).to(self.device)
        self._autocast = options.precision == "bf16"

    def prepare(self, image: NDArray[np.uint8]) -> tuple[torch.Tensor, Size]:
        """One image as the network sees it without a suite: (1, 3, h, w) on its device, and (h, w)."""
        values = torch.from_numpy(self._seen(image, None)[None].copy())
        return values.to(self.device), (values.shape[2], values.shape[3])

    def _run(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.inference_mode(), torch.autocast(self.device.type, torch.bfloat16, enabled=self._autocast):
            output = self.model(torch.from_numpy(images).to(self.device))
        values: NDArray[np.float32] = output.float().cpu().numpy()
        return values


def load(argument: str, options: PredictorOptions) -> Predictor:
    """The predictor of a checkpoint file, named after it, and after its folder too where every run has such a file.

    A folder of transformers' DPT is run by our network here; `hf:` runs it by theirs.

    Options: variant and readout for released files that do not tell them; name, trained_on.

    Raises:
        UsageError: no such file, a device that is not there, a network that predicts no depth.
        DataError: the file is damaged or fits no network.
    """
    check_known("checkpoint", options, OPTIONS)
    path = Path(argument)
    variant, readout = options.extra.get("variant", options.variant), _readout(options)
    loaded = load_with_origin(path, variant, readout)
    if loaded.provenance is not None and (variant or readout):
        told = "variant" if variant else "readout"
        raise UsageError("this checkpoint says itself what it is", where=path, fix=f"leave out the {told}")
    if loaded.model.spec.head != "depth":
        raise UsageError("this network predicts classes, not depth", where=path, fix="give a depth checkpoint")
    predictor = CheckpointPredictor(declared_name(_name(path), options), loaded.model, options)
    predictor.checkpoint_sha256 = _fingerprint(path)
    known = loaded.trained_on or released_training(predictor.checkpoint_sha256[:8])  # of a renamed file
    predictor.trained_on = declared_training(options, known)
    return predictor


def _readout(options: PredictorOptions) -> Readout | None:
    readout = options.extra.get("readout")
    if readout is not None and readout not in get_args(Readout):
        raise UnknownNameError("readout", readout, get_args(Readout))
    return cast(Readout | None, readout)


def _fingerprint(path: Path) -> str:
    if path.is_file():
        return sha256_of_file(path)
    return hashlib.sha256("".join(map(sha256_of_file, weight_files(path))).encode()).hexdigest()


def _name(path: Path) -> str:
    return f"{path.resolve().parent.name}/{path.stem}" if path.stem in ("best", "last", "ckpt") else path.stem
