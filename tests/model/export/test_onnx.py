from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from dpt_bench.core.errors import UsageError
from dpt_bench.model.build import build_model
from dpt_bench.model.export import Export, export_model
from dpt_bench.model.export.onnx import SPEC_KEY, TRAINED_ON_KEY
from dpt_bench.model.spec import ModelSpec
from dpt_bench.model.variants import VARIANTS


def answers_alike(model: torch.nn.Module, file: Path, sizes: list[tuple[int, int, int]]) -> None:
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    for batch, height, width in sizes:
        images = torch.randn(batch, 3, height, width)
        (found,) = session.run(None, {"images": images.numpy()})
        with torch.no_grad():
            wanted = model(images).numpy()
        assert found.shape == wanted.shape
        assert np.abs(found - wanted).max() < 1e-4 * np.abs(wanted).max()


SIZES = [(1, 64, 64), (3, 32, 160), (2, 96, 64)]


@pytest.mark.parametrize("name", ["micro", pytest.param("micro-hybrid-nyu", marks=pytest.mark.slow)])
def test_one_file_takes_any_batch_and_size(
    name: str, micro: dict[str, ModelSpec], lively: Callable, tmp_path: Path
) -> None:
    model = lively(build_model(micro[name]))
    notes = export_model(Export(model, trained_on=("redweb", "irs")), "onnx", tmp_path / "net.onnx")
    assert "onnxruntime agrees" in notes[0]
    answers_alike(model, tmp_path / "net.onnx", SIZES)
    metadata = {item.key: item.value for item in onnx.load(tmp_path / "net.onnx").metadata_props}
    assert ModelSpec.model_validate(json.loads(metadata[SPEC_KEY])) == model.spec
    assert metadata[TRAINED_ON_KEY] == "redweb/irs"
    assert [item.name for item in tmp_path.iterdir()] == ["net.onnx"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["dpt-tiny", "dpt-base", "dpt-hybrid", "dpt-deit-distilled", "midas-v21-resnet50"])
def test_the_networks_of_the_paper(name: str, lively: Callable, tmp_path: Path) -> None:
    model = lively(build_model(VARIANTS[name]))
    export_model(Export(model), "onnx", tmp_path / "net.onnx")
    answers_alike(model, tmp_path / "net.onnx", SIZES)


@pytest.mark.slow
def test_logits_and_other_readouts(micro: dict[str, ModelSpec], lively: Callable, tmp_path: Path) -> None:
    model = lively(build_model(micro["micro-ade20k"].model_copy(update={"readout": "add"})))
    export_model(Export(model), "onnx", tmp_path / "net.onnx")
    answers_alike(model, tmp_path / "net.onnx", SIZES)


def test_without_the_extra_the_call_says_what_to_install(
    small_spec: ModelSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dpt_bench.model.export.onnx._NEEDED", ("onnx", "no_such_module"))
    with pytest.raises(UsageError, match="no_such_module is missing") as caught:
        export_model(Export(build_model(small_spec)), "onnx", tmp_path / "net.onnx")
    assert "dpt-bench[onnx]" in str(caught.value.fix)
