"""`onnx:FILE`: a network in ONNX, run by onnxruntime (the extra `onnx`); its metadata say what goes in and comes out.

Metadata properties, each of which an option after the file's name may replace, `onnx:m.onnx,kind=metric_depth`:

- `kind`: what the numbers mean, a DepthKind; `mean` and `std`: normalisation of RGB in [0, 1], "0.485/0.456/0.406".
  These three must be there.
- `size`: side that images are brought near to, "384", or HEIGHTxWIDTH, "480x640"; 384 where it is left out.
- `resize`: "minimal" (the default) or "upper_bound" as in MiDaS, or "exact" to squash.
- `multiple_of`: both sides are multiples of it; 32 where it is left out.
- `trained_on`: recipe names, "nyu/kitti".

A file that `dpt-bench export --to onnx` wrote says all this itself, as the network's spec.

The first input is float32 (B, 3, H, W), the first output (B, h, w) or (B, 1, h, w). A file with a fixed height and
width gets exactly these; where one of them is fixed, the other follows the image's aspect, unless `resize` is "exact".
A fixed batch is filled up.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from dpt_bench.core.errors import DataError, UnknownNameError, UsageError
from dpt_bench.core.provenance import sha256_of_file
from dpt_bench.model.export.onnx import SPEC_KEY
from dpt_bench.model.spec import parse_spec
from dpt_bench.predictors._contract import Predictor, PredictorOptions
from dpt_bench.predictors._declared import check_known, declared_name, declared_training, kind_named, numbers
from dpt_bench.predictors._sized import SizedPredictor
from dpt_bench.predictors._sizes import SUITE_SIZE, InputSize

_FACTS = ("kind", "mean", "std", "size", "resize", "multiple_of", "trained_on")
_SIDES = ("minimal", "upper_bound", "exact")
OPTIONS = (*_FACTS, "name")


class OnnxPredictor(SizedPredictor):
    """A session of onnxruntime and what its file or its user says about it."""

    def __init__(self, name: str, session: Any, facts: dict[str, str], options: PredictorOptions) -> None:
        self._session = session
        self._input = session.get_inputs()[0]
        self._fixed_batch, _, height, width = (side if isinstance(side, int) else None for side in self._input.shape)
        super().__init__(
            name,
            kind_named(facts["kind"]),
            _input_size(facts, (height, width)),
            normalisation=(numbers(facts["mean"], 3, "mean"), numbers(facts["std"], 3, "std")),
            batch_size=self._fixed_batch or options.batch_size,
        )
        self.trained_on = declared_training(replace(options, extra=facts))

    def _run(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        count = len(images)
        if self._fixed_batch is not None and count < self._fixed_batch:
            images = np.concatenate([images, np.repeat(images[-1:], self._fixed_batch - count, axis=0)])
        output = self._session.run(None, {self._input.name: images})[0]
        maps = np.asarray(output[:, 0] if output.ndim == 4 and output.shape[1] == 1 else output, np.float32)
        if maps.ndim != 3 or len(maps) != len(images):
            raise UsageError(
                f"the first output must be (B, h, w) or (B, 1, h, w), got {output.shape}",
                where=self.name,
                fix="export the network with depth as its first output",
            )
        return maps[:count]


def load(argument: str, options: PredictorOptions) -> Predictor:
    """The predictor of an ONNX file; see the top of this module for what the file, or its user, must say.

    Raises:
        UsageError: onnxruntime or the file is missing, it does not say what it needs, or a device that is not there.
        DataError: the file is damaged, or its input is no image.
    """
    check_known("onnx", options, OPTIONS)
    path = Path(argument)
    if options.precision != "fp32":
        raise UsageError("the precision of an ONNX file is fixed in it", where=path, fix="leave out --precision")
    session = _session(path, options.device)
    stored = session.get_modelmeta().custom_metadata_map
    facts = _facts_of_spec(stored, path) | {name: stored[name] for name in _FACTS if name in stored} | options.extra
    missing = [name for name in ("kind", "mean", "std") if not facts.get(name)]
    if missing:
        example = f"onnx:{path},kind=affine_disparity,mean=0.5,std=0.5"
        what = f"the file does not say its {', '.join(missing)}"
        raise UsageError(what, where=path, fix=f"say it after the name: {example}; or store it as metadata")
    predictor = OnnxPredictor(declared_name(path.stem, options), session, facts, options)
    predictor.checkpoint_sha256 = sha256_of_file(path)
    return predictor


def _facts_of_spec(stored: dict[str, str], path: Path) -> dict[str, str]:
    """What our own export stored, in the words of this module."""
    if SPEC_KEY not in stored:
        return {}
    spec = parse_spec(stored[SPEC_KEY], path)
    height, width = spec.input_size or (spec.train_size, spec.train_size)
    facts = {"kind": spec.kind.value, "size": f"{height}x{width}", "resize": spec.input_rule}
    return facts | {name: "/".join(map(repr, getattr(spec, name))) for name in ("mean", "std")}


def _session(path: Path, device: str) -> Any:
    try:
        onnxruntime = importlib.import_module("onnxruntime")
        errors = importlib.import_module("onnxruntime.capi.onnxruntime_pybind11_state")
    except ImportError:
        fix = 'pip install "dpt-bench[onnx]"'
        raise UsageError("ONNX files need onnxruntime, which is not installed", fix=fix) from None
    if not path.is_file():
        raise UsageError("no such ONNX file", where=path, fix="check the path")
    provider, index = _provider(device, onnxruntime.get_available_providers())
    settings = onnxruntime.SessionOptions()
    settings.log_severity_level = 3  # its warnings are about graph optimisation
    refused = (errors.InvalidProtobuf, errors.InvalidGraph, errors.Fail, errors.InvalidArgument, errors.NotImplemented)
    try:
        session = onnxruntime.InferenceSession(path, settings, providers=[(provider, index)])
    except refused as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"onnxruntime cannot load the file: {reason}", where=path, fix="export it again") from error
    first = session.get_inputs()[0]
    # The number of channels may be a name, as optimum's "num_channels"; channels that come last are refused.
    is_image = len(first.shape) == 4 and (
        first.shape[1] == 3 or (first.shape[3] != 3 and not isinstance(first.shape[1], int))
    )
    if first.type != "tensor(float)" or not is_image:
        found = f"{first.type} {first.shape}"
        raise DataError(f"the first input must be float32 (B, 3, H, W), got {found}", where=path, fix="export it so")
    return session


def _provider(device: str, available: Sequence[str]) -> tuple[str, dict[str, Any]]:
    kind, _, index = device.partition(":")
    wanted = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
    if kind not in wanted or not (index or "0").isdigit():
        raise UsageError(f"unknown device {device!r}", fix="cpu, cuda or cuda:0")
    if wanted[kind] not in available:
        raise UsageError("this onnxruntime has no CUDA", where=device, fix="pip install onnxruntime-gpu, or use cpu")
    return wanted[kind], {} if kind == "cpu" else {"device_id": int(index or 0)}


def _input_size(facts: dict[str, str], fixed: tuple[int | None, int | None]) -> InputSize:
    if fixed[0] is not None and fixed[1] is not None:
        return InputSize((fixed[0], fixed[1]), "exact")
    side = facts.get("resize", "minimal")
    if side not in _SIDES:
        raise UnknownNameError("resize rule", side, _SIDES)
    sizes = [part for part in facts.get("size", str(SUITE_SIZE)).split("x") if part.isdigit()]
    multiple = facts.get("multiple_of", "32")
    if len(sizes) not in (1, 2) or not multiple.isdigit() or int(multiple) < 1:
        where = f"size={facts.get('size')}, multiple_of={multiple}"
        raise UsageError("size is a number or HEIGHTxWIDTH, multiple_of a number", where=where)
    wanted = (fixed[0] or int(sizes[0]), fixed[1] or int(sizes[-1]))
    if fixed != (None, None) and side != "exact":
        return InputSize(wanted, "exact", int(multiple), free="width" if fixed[0] else "height")
    return InputSize(wanted, cast(Literal["minimal", "upper_bound", "exact"], side), int(multiple))
