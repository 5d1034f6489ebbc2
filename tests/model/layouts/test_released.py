from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from dpt_bench.core.errors import DataError, UsageError
from dpt_bench.core.kinds import DepthKind
from dpt_bench.model.build import build_model, filled_model
from dpt_bench.model.dpt import DPT
from dpt_bench.model.layouts._layout import RELEASED
from dpt_bench.model.layouts.released import LAYOUT
from dpt_bench.model.load import load_model
from dpt_bench.model.spec import ModelSpec
from dpt_bench.model.variants import VARIANTS

Weights = dict[str, Tensor]
READOUTS = {
    "dpt_base-ignore": "ignore",
    "dpt_base-add": "add",
    "dpt_deit_dist-ignore": "ignore",
    "dpt_deit_dist-add": "add",
}
FILES = {
    "dpt_base-project": ["dpt-base", "dpt-deit"],
    "dpt_base-ignore": ["dpt-base", "dpt-deit"],
    "dpt_base-add": ["dpt-base", "dpt-deit"],
    "dpt_deit-project": ["dpt-base", "dpt-deit"],
    "dpt_deit_dist-project": ["dpt-deit-distilled"],
    "dpt_deit_dist-ignore": ["dpt-deit-distilled"],
    "dpt_large-midas": ["dpt-large"],
    "dpt_hybrid-midas": ["dpt-hybrid", "dpt-hybrid-nyu", "dpt-hybrid-kitti"],
    "dpt_hybrid_nyu": ["dpt-hybrid", "dpt-hybrid-nyu", "dpt-hybrid-kitti"],
    "dpt_large-ade20k": ["dpt-large-ade20k"],
    "dpt_hybrid-ade20k": ["dpt-hybrid-ade20k"],
    "midas_v21": ["midas-v21"],
    "midas_v21-resnet50": ["midas-v21-resnet50"],
    "dpt_hybrid_kitti": ["dpt-hybrid", "dpt-hybrid-nyu", "dpt-hybrid-kitti"],
    "dpt_deit_dist-add": ["dpt-deit-distilled"],
}


@pytest.mark.parametrize("name", FILES)
def test_released_files_are_recognised_by_their_keys_and_shapes(name: str, listed: Callable) -> None:
    weights = {key: torch.empty(shape, device="meta") for key, shape in listed(name).items()}
    fits = LAYOUT.fitting_specs(weights)
    assert list(fits) == FILES[name]
    choices = ["ignore", "add"] if name in READOUTS else ["project"]
    assert [spec.readout for spec in fits[FILES[name][0]]] == choices


def run_synthetic(
    variant: ModelSpec, fill: Callable[[dict[str, torch.Size]], Weights], image: Tensor
) -> tuple[DPT, np.ndarray, np.ndarray]:
    """Network, its output, and its output before the last layer."""
    model = filled_model(variant, LAYOUT.ours(variant, fill(LAYOUT.shapes(variant))))
    before: list[Tensor] = []
    model.head.layers[-1].register_forward_pre_hook(lambda _, inputs: before.append(inputs[0]))
    with torch.no_grad():
        output = model(image)
    return model, output.numpy(), before[0].squeeze(1).numpy()


def relative_difference(found: np.ndarray, wanted: np.ndarray) -> float:
    assert found.shape == wanted.shape
    return float(np.abs(found - wanted).max() / np.abs(wanted).max())


@pytest.mark.golden
@pytest.mark.parametrize(
    ("key", "variant", "readout"),
    [
        ("dpt_base-ignore/384x384", "dpt-base", "ignore"),
        ("dpt_base-project/384x512", "dpt-base", "project"),
        pytest.param("dpt_base-project/384x384", "dpt-base", "project", marks=pytest.mark.slow),
        pytest.param("dpt_hybrid_nyu/480x640", "dpt-hybrid-nyu", "project", marks=pytest.mark.slow),
        pytest.param("dpt_large-midas/384x384", "dpt-large", "project", marks=pytest.mark.slow),
        pytest.param("dpt_large-midas/384x512", "dpt-large", "project", marks=pytest.mark.slow),
        pytest.param("midas_v21/384x384", "midas-v21", "project", marks=pytest.mark.slow),
        pytest.param("midas_v21/384x512", "midas-v21", "project", marks=pytest.mark.slow),
    ],
)
def test_depth_networks_compute_what_the_released_classes_compute(
    key: str, variant: str, readout: str, golden: dict, synthetic_weights: Callable, golden_image: Callable
) -> None:
    image = golden_image(*map(int, key.rpartition("/")[2].split("x")))
    spec = VARIANTS[variant].model_copy(update={"readout": readout})
    _, output, raw = run_synthetic(spec, synthetic_weights, image)
    assert relative_difference(raw[:, ::8, ::8], golden[f"{key}/raw_sub"]) < 1e-4
    if variant == "dpt-hybrid-nyu":
        assert relative_difference(output[:, ::8, ::8], golden[f"{key}/out_sub"]) < 1e-4
        assert output.max() == pytest.approx(1 / 0.1378, rel=1e-6)


@pytest.mark.golden
@pytest.mark.slow
def test_the_segmentation_network_computes_what_the_released_class_computes(
    golden: dict, shared_golden: Path, synthetic_weights: Callable, golden_image: Callable
) -> None:
    seen: list[Tensor] = []
    spec = VARIANTS["dpt-hybrid-ade20k"]
    model = filled_model(spec, LAYOUT.ours(spec, synthetic_weights(LAYOUT.shapes(spec))))
    model.head.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    with torch.no_grad():
        logits = model(golden_image(480, 480)).numpy()
        auxiliary = model.auxiliary.layers(seen[0]).numpy()  # on the last map, as the golden was made
    assert logits.shape == (1, 150, 480, 480)
    wanted = golden["dpt_hybrid-ade20k/480x480/out_sub"]
    assert relative_difference(logits[:, ::10, ::16, ::16], wanted) < 1e-4
    with np.load(shared_golden / "dpt_hybrid-ade20k.npz") as file:
        wanted = file["480x480/auxlayer_of_path1_sub"]
    assert relative_difference(auxiliary[:, ::50, ::16, ::16], wanted) < 1e-4


PUBLISHED = [  # file, what is said beside its keys, size, mean and standard deviation of the released class's output
    ("dpt_large-midas", {}, (384, 384), 4.74325, 1.46352),
    ("dpt_large-midas", {}, (384, 512), 4.91781, 1.50697),
    ("dpt_hybrid-midas", {}, (384, 384), 2.16421, 1.23550),
    ("dpt_hybrid-midas", {}, (384, 512), 1.97518, 1.18224),
    ("dpt_base-project", {}, (384, 384), 1.51777, 0.92166),
    ("dpt_base-add", {"readout": "add"}, (384, 384), 7.75692, 2.50431),
    ("dpt_base-ignore", {"readout": "ignore"}, (384, 384), 3.45880, 1.53464),
    ("dpt_deit-project", {"variant": "dpt-deit"}, (384, 384), 1.51777, 0.92166),
    ("dpt_deit_dist-project", {}, (384, 384), 1.37038, 0.87897),
    ("dpt_deit_dist-add", {"readout": "add"}, (384, 384), 7.31983, 2.38988),
    ("dpt_deit_dist-ignore", {"readout": "ignore"}, (384, 384), 3.33626, 1.54442),
    ("dpt_hybrid_nyu", {"variant": "dpt-hybrid-nyu"}, (480, 640), 7.22483, 0.01878),
    ("dpt_hybrid_kitti", {"variant": "dpt-hybrid-kitti"}, (352, 1216), 169.18936, 1.98578),
    ("dpt_large-ade20k", {}, (480, 480), 0.16747, 4.45785),
    ("dpt_hybrid-ade20k", {}, (480, 480), -0.25581, 3.84870),
    ("midas_v21", {}, (384, 384), 1.64857, 0.45441),
    ("midas_v21", {}, (384, 512), 1.60926, 0.43490),
    ("midas_v21-resnet50", {}, (384, 384), 0.01349, 0.05539),
]


@pytest.mark.golden
@pytest.mark.slow
@pytest.mark.parametrize(("file", "said", "size", "mean", "std"), PUBLISHED)
def test_a_file_whose_name_tells_nothing_gives_the_published_statistics(
    file: str,
    said: dict,
    size: tuple[int, int],
    mean: float,
    std: float,
    listed: Callable,
    synthetic_weights: Callable,
    golden_image: Callable,
    tmp_path: Path,
) -> None:
    """The public surface alone: every key of the released file, with what the network never uses."""
    torch.save(synthetic_weights(listed(file)), tmp_path / "weights.bin")
    model = load_model(tmp_path / "weights.bin", **said)
    with torch.no_grad():
        output = model(golden_image(*size))
    assert output.mean().item() == pytest.approx(mean, rel=1e-5, abs=6e-6)
    assert output.std().item() == pytest.approx(std, rel=1e-5, abs=6e-6)


@pytest.fixture
def released(monkeypatch: pytest.MonkeyPatch, small_spec: ModelSpec) -> ModelSpec:
    """A small network counted among the released ones, under names like theirs."""
    metric = small_spec.model_copy(update={"kind": DepthKind.METRIC_DEPTH, "scale": 0.5, "shift": 1.0, "invert": True})
    monkeypatch.setitem(VARIANTS, "small", small_spec)
    monkeypatch.setitem(VARIANTS, "small-nyu", metric)
    monkeypatch.setattr("dpt_bench.model.layouts._layout.RELEASED", ("small", "small-nyu"))
    return small_spec


def as_released(model: DPT) -> Weights:
    """Weights as a released file would hold them, with the parts that it carries for nothing."""
    weights = LAYOUT.theirs(model.spec, model.state_dict())
    extra = [
        "pretrained.model.norm.weight",
        "pretrained.model.head.weight",
        "scratch.refinenet4.resConfUnit1.conv1.bias",
    ]
    return weights | {key: torch.zeros(3) for key in extra}


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_released_file_loads_with_the_same_output(released: ModelSpec, tmp_path: Path, wrapped: bool) -> None:
    model = build_model(released).eval()
    weights = as_released(model)
    torch.save({"model": weights, "optimizer": {"lr": 1}} if wrapped else weights, tmp_path / "small.pt")
    loaded = load_model(tmp_path / "small.pt")
    assert loaded.spec == released
    assert not loaded.training
    image = torch.randn(1, 3, 64, 32)
    assert torch.equal(loaded(image), model(image))


def test_half_precision_files_load_as_float32(released: ModelSpec, tmp_path: Path) -> None:
    weights = {key: value.half() for key, value in as_released(build_model(released)).items()}
    torch.save(weights, tmp_path / "small.pt")
    assert {parameter.dtype for parameter in load_model(tmp_path / "small.pt").parameters()} == {torch.float32}


def test_the_file_name_or_the_argument_tells_fine_tuned_networks_apart(released: ModelSpec, tmp_path: Path) -> None:
    for name in ("small.pt", "small_nyu-2ce69ec7.pt"):
        torch.save(as_released(build_model(released)), tmp_path / name)
    assert load_model(tmp_path / "small.pt").spec.kind is DepthKind.AFFINE_DISPARITY
    assert load_model(tmp_path / "small_nyu-2ce69ec7.pt").spec.kind is DepthKind.METRIC_DEPTH
    assert load_model(tmp_path / "small.pt", variant="small-nyu").spec.kind is DepthKind.METRIC_DEPTH
    assert load_model(tmp_path / "small_nyu-2ce69ec7.pt", variant="small").spec.kind is DepthKind.AFFINE_DISPARITY


def test_a_readout_without_weights_must_be_named(released: ModelSpec, tmp_path: Path) -> None:
    model = build_model(released.model_copy(update={"readout": "add"})).eval()
    torch.save(as_released(model), tmp_path / "small.pt")
    with pytest.raises(UsageError, match="readout token is ignored or added"):
        load_model(tmp_path / "small.pt")
    image = torch.randn(1, 3, 32, 32)
    assert torch.equal(load_model(tmp_path / "small.pt", readout="add")(image), model(image))
    assert not torch.equal(load_model(tmp_path / "small.pt", readout="ignore")(image), model(image))


def test_weights_that_fit_nothing_are_named(released: ModelSpec, tmp_path: Path) -> None:
    weights = as_released(build_model(released))
    weights["scratch.output_conv.0.weight"] = torch.zeros(1)
    for key in [key for key in weights if re.search("refinenet2", key)]:
        del weights[key]
    torch.save(weights, tmp_path / "small.pt")
    with pytest.raises(DataError, match=r"nearest is small.*11 keys differ: scratch.refinenet2.*and 8 more"):
        load_model(tmp_path / "small.pt")
    with pytest.raises(DataError, match="do not fit small-nyu"):
        load_model(tmp_path / "small.pt", variant="small-nyu")


def test_released_variants_are_those_with_released_layouts() -> None:
    assert set(VARIANTS) - set(RELEASED) == {"dpt-tiny", "dpt-small"}
