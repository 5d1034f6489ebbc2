from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from dpt_bench.core.errors import DataError, UsageError
from dpt_bench.core.kinds import DepthKind
from dpt_bench.model.build import build_model
from dpt_bench.model.export import Export, export_model
from dpt_bench.model.load import load_model, load_with_origin
from dpt_bench.model.spec import ModelSpec
from dpt_bench.model.variants import VARIANTS
from dpt_bench.predictors import load_predictor

NEVER_A_DPT_THERE = {
    "midas-v21": "not a DPT",
    "dpt-tiny": "ResNetV2 as a stem",
    "dpt-deit-distilled": "second readout token",
}


def loaded_there(folder: Path, *, segmentation: bool = False) -> torch.nn.Module:
    from transformers import AutoModelForDepthEstimation, AutoModelForSemanticSegmentation

    kind = AutoModelForSemanticSegmentation if segmentation else AutoModelForDepthEstimation
    model, report = kind.from_pretrained(folder, output_loading_info=True)
    assert {name: list(keys) for name, keys in report.items() if keys} == {}
    return model.eval()


def predicted(model: torch.nn.Module, images: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        answer = model(images)
    return answer.logits if "logits" in answer else answer.predicted_depth


@pytest.mark.parametrize("name", ["micro", "micro-ade20k", "micro-hybrid"])
def test_a_folder_loads_there_whole_and_gives_the_same_depth(
    name: str, micro: dict[str, ModelSpec], lively: Callable, tmp_path: Path
) -> None:
    model = lively(build_model(micro[name]))
    export_model(Export(model), "huggingface", tmp_path / "there")
    theirs = loaded_there(tmp_path / "there", segmentation="ade20k" in name)
    images = torch.randn(2, 3, 64, 64)
    wanted, found = model(images), predicted(theirs, images)
    assert wanted.std() > 0.01 * wanted.abs().max()
    assert (found - wanted).abs().max() < 1e-5 * wanted.abs().max()
    again = load_model(tmp_path / "there")
    assert (again(images) - wanted).abs().max() < 1e-5 * wanted.abs().max()
    assert (again.spec.mean, again.spec.train_size) == (model.spec.mean, 64)


@pytest.mark.parametrize("readout", ["ignore", "add"])
def test_other_readouts_are_kept(readout: str, micro: dict[str, ModelSpec], lively: Callable, tmp_path: Path) -> None:
    model = lively(build_model(micro["micro"].model_copy(update={"readout": readout})))
    export_model(Export(model), "huggingface", tmp_path / "there")
    images = torch.randn(1, 3, 64, 64)
    torch.testing.assert_close(predicted(loaded_there(tmp_path / "there"), images), model(images), rtol=1e-4, atol=1e-5)
    assert load_model(tmp_path / "there").spec.readout == readout


def test_its_pipeline_gives_the_same_depth(micro: dict[str, ModelSpec], lively: Callable, tmp_path: Path) -> None:
    from transformers import pipeline

    model = lively(build_model(micro["micro"]))
    export_model(Export(model), "huggingface", tmp_path / "there")
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    answer = pipeline("depth-estimation", model=str(tmp_path / "there"))(Image.fromarray(pixels))
    images = (torch.from_numpy(pixels / 255).permute(2, 0, 1)[None].float() - 0.5) / 0.5
    torch.testing.assert_close(answer["predicted_depth"].squeeze(), model(images)[0].detach(), rtol=1e-4, atol=1e-5)
    assert answer["depth"].size == (64, 64)


def test_the_differences_are_told(micro: dict[str, ModelSpec], tmp_path: Path) -> None:
    notes = export_model(Export(build_model(micro["micro-hybrid-nyu"]).eval()), "huggingface", tmp_path / "there")
    told = "\n".join(notes)
    assert "1 / max(0.5 * predicted_depth + 1.0, 1e-8)" in told
    assert "(w - mean) / sqrt(var + 1e-8)" in told
    assert all(note[1:] in (tmp_path / "there" / "README.md").read_text() for note in notes)
    plain = "\n".join(export_model(Export(build_model(micro["micro"]).eval()), "huggingface", tmp_path / "plain"))
    assert "sqrt" not in plain
    assert "1 / max" not in plain


def test_what_transformers_has_no_place_for_comes_back(
    micro: dict[str, ModelSpec], lively: Callable, tmp_path: Path
) -> None:
    """A metric network: ours again after a round trip, and theirs with the kind of what transformers shows of it."""
    change = {"input_size": (64, 96), "input_rule": "upper_bound", "weight_standardization": "var_plus_eps"}
    model = lively(build_model(micro["micro-hybrid-nyu"].model_copy(update=change)))
    folder = tmp_path / "there"
    export_model(Export(model, trained_on=("nyu", "redweb")), "huggingface", folder)
    again = load_with_origin(folder)
    assert again.model.spec == model.spec.model_copy(update={"layer_norm_eps": 1e-6})
    assert again.trained_on == ("nyu", "redweb")
    images = torch.randn(1, 3, 64, 64)
    torch.testing.assert_close(again.model(images), model(images), rtol=1e-5, atol=1e-6)
    loaded_there(folder)
    theirs, ours = load_predictor(f"hf:{folder}"), load_predictor(f"checkpoint:{folder}")
    assert (theirs.kind, ours.kind) == (DepthKind.AFFINE_DISPARITY, DepthKind.METRIC_DEPTH)
    assert theirs.trained_on == ours.trained_on == ("nyu", "redweb")
    assert load_predictor(f"hf:{folder},trained_on=kitti").trained_on == ("kitti",)
    assert load_model(folder, variant="micro-hybrid").spec.kind is DepthKind.AFFINE_DISPARITY, "what is asked for wins"


def test_a_folder_from_a_newer_version_is_named(micro: dict[str, ModelSpec], tmp_path: Path) -> None:
    export_model(Export(build_model(micro["micro"]).eval()), "huggingface", tmp_path / "there")
    config = json.loads((tmp_path / "there" / "config.json").read_text())
    config["dpt_bench_spec"]["colour"] = "red"
    (tmp_path / "there" / "config.json").write_text(json.dumps(config))
    for spec in (f"hf:{tmp_path / 'there'}", f"checkpoint:{tmp_path / 'there'}"):
        with pytest.raises(DataError, match="not one of this version"):
            load_predictor(spec)


@pytest.mark.parametrize("name", NEVER_A_DPT_THERE)
def test_networks_that_it_does_not_have_are_refused(name: str, tmp_path: Path) -> None:
    with torch.device("meta"):
        model = build_model(VARIANTS[name])
    with pytest.raises(UsageError, match=NEVER_A_DPT_THERE[name]):
        export_model(Export(model), "huggingface", tmp_path / "there")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("micro-hybrid", {"readout": "add"}, "readout `project` alone"),
        ("micro", {"non_negative": False}, "never negative"),
        ("micro", {"features": 64}, "128 features or more"),
    ],
)
def test_settings_that_it_does_not_have_are_refused(
    name: str, change: dict, message: str, micro: dict[str, ModelSpec], tmp_path: Path
) -> None:
    model = build_model(micro[name].model_copy(update=change))
    with pytest.raises(UsageError, match=message):
        export_model(Export(model), "huggingface", tmp_path / "there")


def test_an_earlier_export_is_replaced_only_on_demand_and_nothing_else_ever(
    micro: dict[str, ModelSpec], tmp_path: Path
) -> None:
    export, out = Export(build_model(micro["micro"]).eval()), tmp_path / "there"
    export_model(export, "huggingface", out)
    with pytest.raises(UsageError, match="something already"):
        export_model(export, "huggingface", out)
    (out / "config.json").write_text("{}")
    export_model(export, "huggingface", out, force=True)
    assert json.loads((out / "config.json").read_text())["model_type"] == "dpt"
    (out / "thesis.tex").write_text("precious")
    with pytest.raises(UsageError, match="left as it is: thesis"):
        export_model(export, "huggingface", out, force=True)
    assert (out / "thesis.tex").read_text() == "precious"
    assert sorted(item.name for item in tmp_path.iterdir()) == ["there"]
