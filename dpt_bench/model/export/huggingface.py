"""A folder for transformers: AutoModelForDepthEstimation, AutoModelForSemanticSegmentation and their pipelines."""

from __future__ import annotations

import json
from pathlib import Path

from safetensors.torch import save_file

from dpt_bench.model.dpt import DPT
from dpt_bench.model.export._contract import Export, refusal
from dpt_bench.model.export._huggingface_config import config, processor, transformer
from dpt_bench.model.export._standardise import standardises, weights_for
from dpt_bench.model.layouts._hugging_face_folder import SPEC_KEY, TRAINED_ON_KEY
from dpt_bench.model.layouts.hugging_face import LAYOUT, unused_weights

TITLE = "a folder for transformers' DPT"
FOLDER = True

_HEAD_CHANNELS = 32
_DEPTH_UNITS = 128


def write(export: Export, out: Path) -> list[str]:
    """Write config.json, preprocessor_config.json, model.safetensors and README.md; what differs there."""
    model = export.model
    _refuse(model)
    weights = LAYOUT.theirs(model.spec, weights_for(model, "var_plus_eps")) | unused_weights(model.spec)
    notes = _notes(export)
    save_file(weights, out / "model.safetensors", metadata={"format": "pt"})
    ours = {SPEC_KEY: model.spec.model_dump(mode="json"), TRAINED_ON_KEY: list(export.trained_on)}
    for name, content in (("config.json", config(model) | ours), ("preprocessor_config.json", processor(model))):
        (out / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    (out / "README.md").write_text(_readme(export, notes), encoding="utf-8")
    return notes


def _refuse(model: DPT) -> None:
    spec = model.spec
    two_tokens = hasattr(model.backbone, "vit") and transformer(model).num_prefix_tokens == 2
    stem_of_another_kind = len(spec.hooks) == 2 and not standardises(model)
    reasons = (
        (spec.decoder != "dpt", "MiDaS v2.1 is not a DPT"),
        (stem_of_another_kind, f"its hybrid has a ResNetV2 as a stem, not {spec.backbone}"),
        (two_tokens, "it has no second readout token"),
        (len(spec.hooks) == 2 and spec.readout != "project", "its hybrid knows the readout `project` alone"),
        (not spec.non_negative, "its depth is never negative"),
        (min(_HEAD_CHANNELS, spec.features // 4) != _HEAD_CHANNELS, f"its head needs {_DEPTH_UNITS} features or more"),
    )
    for applies, why in reasons:
        if applies:
            raise refusal("huggingface", why, "export to safetensors or onnx instead")


def _notes(export: Export) -> list[str]:
    spec = export.model.spec
    notes = ["transformers brings every image to a square by its own bicubic resize; dpt_bench keeps the aspect"]
    if spec.invert or (spec.scale, spec.shift) != (1.0, 0.0):
        affine = f"{spec.scale} * predicted_depth + {spec.shift}"
        formula = f"1 / max({affine}, 1e-8)" if spec.invert else affine
        notes.append(f"transformers has no scale and shift: the network's own output is {formula}")
    elif spec.head == "depth" and "disparity" in spec.kind.value:
        notes.append("what transformers calls predicted_depth is inverse depth: greater is nearer")
    if standardises(export.model):
        if spec.weight_standardization != "var_plus_eps":
            notes.append(
                "transformers standardises weights as (w - mean) / sqrt(var + 1e-8), this network as "
                "(w - mean) / (std + 1e-5): its filters were scaled so that outputs agree"
            )
        notes.append("transformers' hybrid takes images of one size alone, that of its position embedding")
    if spec.head == "segmentation":
        notes.append(
            "transformers trains the auxiliary head on the last fusion block; this one reads the block before it"
        )
    return notes


def _readme(export: Export, notes: list[str]) -> str:
    trained = f"Trained on: {', '.join(export.trained_on)}.\n\n" if export.trained_on else ""
    listed = "\n".join(f"- {note[0].upper()}{note[1:]}." for note in notes)
    return (
        f"# Dense prediction transformer\n\nExported by dpt-bench ({export.model.spec.backbone}). {trained}"
        f"Where transformers' formula is not this network's own:\n\n{listed}\n"
    )
