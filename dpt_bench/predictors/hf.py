"""`hf:ID_OR_FOLDER`: depth models of transformers, with their own preprocessing (the extra `hf`)."""

from __future__ import annotations

import hashlib
import importlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from dpt_bench.core.errors import DataError, DptBenchError, SampleError, UnknownNameError, UsageError
from dpt_bench.core.kinds import DepthKind
from dpt_bench.core.provenance import sha256_of_file
from dpt_bench.core.suite import ResizeRule
from dpt_bench.model.layouts._hugging_face_folder import SPEC_KEY, TRAINED_ON_KEY
from dpt_bench.model.spec import parse_spec
from dpt_bench.predictors._batches import Batches
from dpt_bench.predictors._contract import Prediction, Predictor, PredictorOptions, Query
from dpt_bench.predictors._declared import check_known, declared_kind, declared_name, declared_training
from dpt_bench.predictors._device import find_device
from dpt_bench.predictors._single import predict_image

OPTIONS = ("kind", "name", "trained_on")


def _dpt(config: Any) -> DepthKind:
    # MiDaS weights predict inverse depth; those published on a DINOv2 backbone predict metres, on NYU or KITTI
    # (Oquab et al., DINOv2, 2023).
    backbone = getattr(config, "backbone_config", None)
    on_dinov2 = getattr(backbone, "model_type", "") == "dinov2"
    return DepthKind.METRIC_DEPTH if on_dinov2 else DepthKind.AFFINE_DISPARITY


def _depth_anything(config: Any) -> DepthKind:
    # "relative" ends in a ReLU on inverse depth, "metric" in max_depth times a sigmoid (Yang et al., CVPR 2024).
    metric = getattr(config, "depth_estimation_type", "relative") == "metric"
    return DepthKind.METRIC_DEPTH if metric else DepthKind.AFFINE_DISPARITY


def _depth_pro(config: Any) -> DepthKind:
    # Inverse depth for a canonical camera; a second head predicts the field of view that makes it metres
    # (Bochkovskii et al., Depth Pro, 2024). Without that head the scale is unknown.
    return DepthKind.METRIC_DEPTH if config.use_fov_model else DepthKind.SCALE_INVARIANT_DEPTH


def _metric(config: Any) -> DepthKind:
    del config
    return DepthKind.METRIC_DEPTH


KIND_OF: dict[str, Callable[[Any], DepthKind]] = {
    "depth_anything": _depth_anything,
    "depth_pro": _depth_pro,
    "dpt": _dpt,
    "glpn": _metric,
    "zoedepth": _metric,
}
"""Model type -> the kind of what its post-processing returns."""


class HuggingFacePredictor:
    """A model and its image processor, which resizes, normalises and brings predictions back to the image's size."""

    preprocessing: Literal["suite", "own"] = "own"

    def __init__(self, name: str, kind: DepthKind, parts: tuple[Any, Any], options: PredictorOptions) -> None:
        self.name = name
        self.kind = kind
        self.checkpoint_sha256: str | None = None
        self.trained_on: tuple[str, ...] = ()
        self.device = find_device(options.device)
        model, self._processor = parts
        self.model = model.to(self.device).eval()
        self._autocast = options.precision == "bf16"
        self._batches = Batches(options.batch_size)

    def predict(self, queries: Sequence[Query], size_rule: ResizeRule | None) -> list[Prediction]:
        """Predictions at the images' own sizes, as the family's post-processing resizes them; the rule is ignored.

        Raises:
            SampleError: the processor refuses an image, such as one smaller than a patch.
        """
        del size_rule
        inputs = [self._prepared(query) for query in queries]
        sizes = [(values.shape[2], values.shape[3]) for values in inputs]

        def forward(places: list[int]) -> list[Prediction]:
            images = [queries[place].image for place in places]
            maps = self._forward(torch.cat([inputs[place] for place in places]), images)
            return [Prediction(values, sizes[places[0]]) for values in maps]

        return self._batches.run(sizes, forward)

    def input_words(self, size_rule: ResizeRule | None) -> str:
        """As the image processor's settings say it."""
        del size_rule
        settings = self._processor.to_dict()
        if not settings.get("do_resize", True):
            return "not resized"
        size = settings.get("size") or {}
        multiple = settings.get("ensure_multiple_of") or settings.get("size_divisor") or 1
        if "height" not in size:
            return f"each side cut to a multiple of {multiple}"
        squashed = not settings.get("keep_aspect_ratio", False)
        side = f"{size['width']} x {size['height']}"
        return f"squashed to {side}" if squashed else f"minimal {side}, multiple of {multiple}"

    def __call__(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        return predict_image(self, image)

    def _prepared(self, query: Query) -> torch.Tensor:
        try:
            prepared = self._processor(images=query.image, return_tensors="pt", input_data_format="channels_last")
        except (ValueError, RuntimeError) as error:
            height, width = query.image.shape[:2]
            message = f"the model's image processor refuses an image of {width} x {height} pixels: {error}"
            raise SampleError("refused-image", message, where=query.key or None) from error
        values: torch.Tensor = prepared["pixel_values"]
        return values

    def _forward(self, values: torch.Tensor, images: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.float32]]:
        with torch.inference_mode(), torch.autocast(self.device.type, torch.bfloat16, enabled=self._autocast):
            output = self.model(pixel_values=values.to(self.device))
        for field in ("predicted_depth", "field_of_view"):
            if output.get(field) is not None:
                output[field] = output[field].float()
        sizes = [(image.shape[0], image.shape[1]) for image in images]
        # ZoeDepth pads images, and needs their sizes to cut its output; the others resize to a size that is asked for.
        where = "source_sizes" if self.model.config.model_type == "zoedepth" else "target_sizes"
        found = self._processor.post_process_depth_estimation(output, **{where: sizes})
        maps = [one["predicted_depth"].float().cpu().numpy() for one in found]
        return [values.reshape(size) for values, size in zip(maps, sizes, strict=True)]


def load(argument: str, options: PredictorOptions) -> Predictor:
    """The depth model in a folder that `save_pretrained` wrote, or of this id on the hub.

    Options: kind, for families that are not known here or weights of another meaning; name, trained_on.

    Raises:
        UsageError: transformers is missing, no such folder, or the model is not one that predicts depth.
        DptBenchError: the hub cannot be reached, or does not have it.
        DataError: the folder's files are damaged.
    """
    check_known("hf", options, OPTIONS)
    transformers = _transformers()
    looks_like_path = argument.startswith((".", "/", "~")) or argument.count("/") > 1
    if looks_like_path and not Path(argument).is_dir():
        raise UsageError("no such folder", where=argument, fix="check the path; an id of the hub is OWNER/NAME")
    config = _fetched(transformers.AutoConfig, argument)
    kind = declared_kind(options) or _stored_kind(config, argument) or _known_kind(config, argument)
    parts = (_fetched(transformers.AutoModelForDepthEstimation, argument), _fetched_processor(transformers, argument))
    name = Path(argument).resolve().name if Path(argument).is_dir() else argument
    predictor = HuggingFacePredictor(declared_name(name, options), kind, parts, options)
    predictor.checkpoint_sha256 = _fingerprint(argument, parts[0].config)
    predictor.trained_on = declared_training(options, tuple(getattr(config, TRAINED_ON_KEY, ())))
    return predictor


def _transformers() -> Any:
    try:
        return importlib.import_module("transformers")
    except ImportError:
        fix = 'pip install "dpt-bench[hf]"'
        raise UsageError("models of Hugging Face need transformers, which is not installed", fix=fix) from None


def _stored_kind(config: Any, where: str) -> DepthKind | None:
    """What our own export says of it: transformers shows the head's output, without scale, shift and reciprocal."""
    stored = getattr(config, SPEC_KEY, None)
    spec = None if stored is None else parse_spec(stored, where)
    return spec.head_kind if spec is not None and spec.head == "depth" else None


def _known_kind(config: Any, where: str) -> DepthKind:
    heads = getattr(config, "architectures", None) or ()
    if heads and not any("DepthEstimation" in head for head in heads):
        raise UsageError(
            f"this model does not predict depth: {', '.join(heads)}", where=where, fix="give a depth model"
        )
    if config.model_type not in KIND_OF:
        known = f"known families: {', '.join(sorted(KIND_OF))}; for another, say what its numbers mean: "
        raise UnknownNameError("family of depth models", config.model_type, KIND_OF, fix=f"{known}{where},kind=KIND")
    return KIND_OF[config.model_type](config)


def _fetched(loader: Any, argument: str) -> Any:
    is_folder = Path(argument).is_dir()
    try:
        return loader.from_pretrained(argument, trust_remote_code=False, local_files_only=is_folder)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        reason = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        if is_folder:
            fix = "the folder must be one that transformers wrote: config.json, weights, preprocessor_config.json"
            raise DataError(f"transformers cannot load this folder: {reason}", where=argument, fix=fix) from error
        raise DptBenchError(
            f"the model could not be fetched from the Hugging Face hub: {reason}",
            where=argument,
            fix="check the id and the network; or download its files elsewhere and pass their folder: hf:FOLDER",
        ) from error


def _fetched_processor(transformers: Any, argument: str) -> Any:
    processor = _fetched(transformers.AutoImageProcessor, argument)
    if not hasattr(processor, "post_process_depth_estimation"):
        raise UsageError("the model's image processor is not one for depth", where=argument, fix="give a depth model")
    return processor


def _fingerprint(argument: str, config: Any) -> str:
    """Of a folder's settings and weights; of the id and commit that came from the hub."""
    folder = Path(argument)
    if folder.is_dir():
        files = [file for file in sorted(folder.iterdir()) if file.suffix in (".json", ".safetensors", ".bin")]
        text = "".join(f"{file.name} {sha256_of_file(file)}{os.linesep}" for file in files)
    else:
        text = f"{argument}@{getattr(config, '_commit_hash', None)}"
    return hashlib.sha256(text.encode()).hexdigest()
