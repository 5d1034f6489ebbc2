from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from dpt_bench.core.errors import UsageError
from dpt_bench.model.build import build_model, empty_model
from dpt_bench.model.export import Export, export_model
from dpt_bench.model.export._standardise import weights_for
from dpt_bench.model.layouts.released import LAYOUT, num_parameters, unused_weights
from dpt_bench.model.load import load_model
from dpt_bench.model.spec import ModelSpec
from dpt_bench.model.variants import VARIANTS

FILES = {
    "dpt_base-project": ("dpt-base", "project"),
    "dpt_base-add": ("dpt-base", "add"),
    "dpt_deit-project": ("dpt-deit", "project"),
    "dpt_deit_dist-project": ("dpt-deit-distilled", "project"),
    "dpt_deit_dist-ignore": ("dpt-deit-distilled", "ignore"),
    "dpt_large-midas": ("dpt-large", "project"),
    "dpt_hybrid-midas": ("dpt-hybrid", "project"),
    "dpt_large-ade20k": ("dpt-large-ade20k", "project"),
    "dpt_hybrid-ade20k": ("dpt-hybrid-ade20k", "project"),
    "midas_v21": ("midas-v21", "project"),
    "midas_v21-resnet50": ("midas-v21-resnet50", "project"),
}
# Millions of parameters of the released classes (the last digit is the papers'): Table 9 of the DPT paper and what its
# tables leave out.
MILLIONS = {
    "midas-v21": 105.36,
    "dpt-base": 111.65,
    "dpt-hybrid": 123.15,
    "dpt-large": 344.06,
    "dpt-large-ade20k": 344.99,
    "dpt-hybrid-ade20k": 124.08,
    "dpt-deit-distilled": 112.42,
    "midas-v21-resnet50": 42.13,
}


@pytest.mark.parametrize("name", FILES)
def test_the_keys_and_shapes_are_those_that_the_authors_code_demands(name: str, listed: Callable) -> None:
    variant, readout = FILES[name]
    spec = VARIANTS[variant].model_copy(update={"readout": readout})
    shapes = LAYOUT.shapes(spec) | {key: value.shape for key, value in unused_weights(spec).items()}
    assert shapes == listed(name)


@pytest.mark.parametrize(("name", "millions"), MILLIONS.items())
def test_the_networks_have_as_many_parameters_as_published(name: str, millions: float) -> None:
    assert num_parameters(VARIANTS[name]) / 1e6 == pytest.approx(millions, abs=0.006)


def test_parameters_without_the_imagenet_head_and_with_other_readouts() -> None:
    head = 768 * 1000 + 1000
    assert (num_parameters(VARIANTS["dpt-base"]) - head) / 1e6 == pytest.approx(110.88, abs=0.006)
    for readout in ("add", "ignore"):
        spec = VARIANTS["dpt-base"].model_copy(update={"readout": readout})
        assert num_parameters(spec) / 1e6 == pytest.approx(106.93, abs=0.006)


@pytest.mark.parametrize("name", ["micro", "micro-ade20k", "micro-hybrid"])
def test_the_file_comes_back_as_the_same_network(
    name: str, micro: dict[str, ModelSpec], lively: Callable, tmp_path: Path
) -> None:
    model = lively(build_model(micro[name]))
    notes = export_model(Export(model), "authors", tmp_path / "file.pt")
    again = load_model(tmp_path / "file.pt")
    assert again.spec == model.spec
    images = torch.randn(1, 3, 64, 96)
    assert torch.equal(again(images), model(images))
    assert "zeros" in notes[0]
    assert set(torch.load(tmp_path / "file.pt")) == set(LAYOUT.shapes(model.spec)) | set(unused_weights(model.spec))


def test_what_no_key_says_is_told(micro: dict[str, ModelSpec], tmp_path: Path) -> None:
    spec = micro["micro-hybrid-nyu"].model_copy(update={"readout": "add", "layer_norm_eps": 1e-12})
    spec = spec.model_copy(update={"weight_standardization": "var_plus_eps", "non_negative": False})
    told = "\n".join(export_model(Export(build_model(spec).eval()), "authors", tmp_path / "file.pt"))
    for words in ("scale=0.5, shift=1.0, invert=True", 'readout="add"', "filters were scaled", "1e-12", "non_negative"):
        assert words in told


@pytest.mark.parametrize("wanted", ["std_plus_eps", "var_plus_eps"])
def test_filters_scaled_for_the_other_formula_give_the_same_network(
    wanted: str, micro: dict[str, ModelSpec], lively: Callable
) -> None:
    given = {"std_plus_eps": "var_plus_eps", "var_plus_eps": "std_plus_eps"}[wanted]
    spec = micro["micro-hybrid"]
    model = lively(build_model(spec.model_copy(update={"weight_standardization": given})))
    with torch.no_grad():
        for parameter in model.backbone.vit.patch_embed.backbone.parameters():
            parameter *= 0.1 if parameter.ndim == 4 else 1  # the formulas differ more for smaller filters
        model.backbone.vit.patch_embed.backbone.stages[1].blocks[0].conv2.weight[3] = 0.25  # a filter without deviation
    other = build_model(spec.model_copy(update={"weight_standardization": wanted})).eval()
    images = torch.randn(1, 3, 64, 64)
    other.load_state_dict(model.state_dict())
    unscaled = (other(images) - model(images)).abs().max() / model(images).abs().max()
    other.load_state_dict(weights_for(model, wanted))
    scaled = (other(images) - model(images)).abs().max() / model(images).abs().max()
    assert scaled < 1e-5
    assert unscaled > 10 * scaled


def test_the_small_hybrids_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="its code builds dpt-base"):
        export_model(Export(empty_model(VARIANTS["dpt-tiny"])), "authors", tmp_path / "file.pt")
    other_hooks = VARIANTS["dpt-base"].model_copy(update={"hooks": (1, 2, 3, 4)})
    with pytest.raises(UsageError, match="has no such network"):
        export_model(Export(empty_model(other_hooks)), "authors", tmp_path / "file.pt")
    assert list(tmp_path.iterdir()) == []
