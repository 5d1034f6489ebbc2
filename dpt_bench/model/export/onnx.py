"""An ONNX file that takes any batch of images whose sides are multiples of 32."""

from __future__ import annotations

import importlib.util
import warnings
from pathlib import Path

import torch

from dpt_bench.core.errors import DptBenchError, UsageError
from dpt_bench.model.dpt import DPT
from dpt_bench.model.export._contract import Export
from dpt_bench.model.inference import for_inference

TITLE = "an ONNX file with free batch, height and width"
FOLDER = False
SPEC_KEY = "dpt_bench_spec"
"""Under it the file's metadata holds the network's ModelSpec as JSON: how to normalise images, what the output is."""
TRAINED_ON_KEY = "trained_on"
"""Under it stand recipe names, "nyu/kitti": `onnx:FILE` reads them, so that boards mark what the network has seen."""

_NEEDED = ("onnx", "onnxruntime", "onnxscript")
_TOLERANCE = 1e-4
_TRACED, _CHECKED = (2, 3, 64, 96), (1, 3, 96, 64)


def write(export: Export, out: Path) -> list[str]:
    """Write the file, then compare it with the network in onnxruntime.

    Raises:
        UsageError: the extra is not installed.
        DptBenchError: onnxruntime answers otherwise.
    """
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise UsageError(f"{', '.join(missing)} is missing", where="--to onnx", fix='pip install "dpt-bench[onnx]"')
    model = export.model
    program = _traced(for_inference(model))
    program.model.metadata_props[SPEC_KEY] = model.spec.model_dump_json()
    if export.trained_on:
        program.model.metadata_props[TRAINED_ON_KEY] = "/".join(export.trained_on)
    program.save(str(out), external_data=False)
    del program
    difference = _difference(model, out)
    if not difference < _TOLERANCE:
        raise DptBenchError(
            f"onnxruntime's answer differs from the network's by {difference:.1e} of its maximum", where=out
        )
    return [f"onnxruntime agrees with the network to {difference:.0e} of the greatest output"]


def _traced(model: DPT) -> torch.onnx.ONNXProgram:
    batch, rows, columns = (torch.export.Dim(name, min=1) for name in ("batch", "rows", "columns"))
    with warnings.catch_warnings(action="ignore"):  # of the exporter about itself
        program = torch.onnx.export(
            model,
            (torch.randn(_TRACED),),
            dynamo=True,
            dynamic_shapes=({0: batch, 2: 32 * rows, 3: 32 * columns},),
            input_names=["images"],
            output_names=["prediction"],
            verbose=False,
        )
    assert program is not None
    return program


def _difference(model: DPT, file: Path) -> float:
    """Greatest difference of the two outputs at a size that was not traced, relative to the greatest output."""
    import onnxruntime

    images = torch.randn(_CHECKED, generator=torch.Generator().manual_seed(0))
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    found = torch.from_numpy(session.run(None, {"images": images.numpy()})[0])
    with torch.no_grad():
        wanted = model(images)
    return float((found - wanted).abs().max() / wanted.abs().max().clamp(min=1e-12))
