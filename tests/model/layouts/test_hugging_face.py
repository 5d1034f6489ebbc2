from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from dpt_bench.core.errors import DataError, UsageError
from dpt_bench.core.kinds import DepthKind
from dpt_bench.model.build import build_model, empty_model
from dpt_bench.model.layouts import hugging_face, released
from dpt_bench.model.load import load_model
from dpt_bench.model.spec import IMAGENET_MEAN, ModelSpec
from dpt_bench.model.variants import VARIANTS

FILES = {
    "hf_dpt_large-midas": ["dpt-large"],
    "hf_dpt_hybrid-midas": ["dpt-hybrid", "dpt-hybrid-nyu", "dpt-hybrid-kitti"],
    "hf_dpt_large-ade20k": ["dpt-large-ade20k"],
    "hf_dpt_hybrid-ade20k": ["dpt-hybrid-ade20k"],
}
MICRO = ("micro", "micro-ade20k", "micro-hybrid")
NEVER_USED = "neck.fusion_stage.layers.0.residual_layer1."


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("unused_unit", [True, False])
def test_files_are_recognised_by_their_keys_and_shapes(name: str, unused_unit: bool, listed: Callable) -> None:
    weights = {
        key: torch.empty(shape, device="meta")
        for key, shape in listed(name).items()
        if unused_unit or not key.startswith(NEVER_USED)
    }
    assert hugging_face.LAYOUT.holds(weights)
    assert not released.LAYOUT.holds(weights)
    assert list(hugging_face.LAYOUT.fitting_specs(weights)) == FILES[name]


@pytest.mark.parametrize("name", FILES)
def test_every_key_goes_where_the_facts_say(name: str, shared_facts: Path) -> None:
    target = json.loads((shared_facts / "checkpoints" / f"{name.removeprefix('hf_')}.to_hf.json").read_text())
    spec = VARIANTS[FILES[name][0]]
    for key in empty_model(spec).state_dict():
        (source,) = released.LAYOUT.names(spec, key)
        wanted = target[source]
        assert hugging_face.LAYOUT.names(spec, key) == (tuple(wanted) if isinstance(wanted, list) else (wanted,))


@pytest.mark.parametrize("name", MICRO)
@pytest.mark.parametrize("pickled", [False, True])
def test_folders_of_transformers_load_with_the_same_output(
    name: str, pickled: bool, micro: dict, their_micro: Callable, answer_of: Callable, tmp_path: Path
) -> None:
    theirs = their_micro(name)
    theirs.save_pretrained(tmp_path)
    if pickled:
        torch.save(load_file(tmp_path / "model.safetensors"), tmp_path / "pytorch_model.bin")
        (tmp_path / "model.safetensors").unlink()
    model = load_model(tmp_path)
    assert model.spec.hooks == micro[name].hooks
    assert model.spec.weight_standardization == ("var_plus_eps" if "hybrid" in name else "std_plus_eps")
    images = torch.randn(2, 3, 64, 64)
    wanted = answer_of(theirs, images)
    assert wanted.std() > 0.01 * wanted.abs().max()
    found = model(images)
    assert found.shape == wanted.shape
    assert (found - wanted).abs().max() < 1e-5 * wanted.abs().max()


def test_the_old_weight_standardisation_is_another_network(
    micro: dict, their_micro: Callable, answer_of: Callable, tmp_path: Path
) -> None:
    """The field is what makes the two agree: this fails if it has no effect."""
    theirs = their_micro("micro-hybrid")
    theirs.save_pretrained(tmp_path)
    model = load_model(tmp_path)
    old = build_model(model.spec.model_copy(update={"weight_standardization": "std_plus_eps"})).eval()
    old.load_state_dict(model.state_dict())
    images = torch.randn(1, 3, 64, 64)
    wanted = answer_of(theirs, images)
    assert (old(images) - wanted).abs().max() > 1e-5 * wanted.abs().max()


def test_weights_in_several_files_are_joined(
    micro: dict, their_micro: Callable, answer_of: Callable, tmp_path: Path
) -> None:
    theirs = their_micro("micro")
    theirs.save_pretrained(tmp_path, max_shard_size="200KB")
    assert len(list(tmp_path.glob("model-*.safetensors"))) > 1
    images = torch.randn(1, 3, 64, 64)
    torch.testing.assert_close(load_model(tmp_path)(images), answer_of(theirs, images), rtol=1e-4, atol=1e-5)


def test_the_files_of_a_folder_load_alone_and_without_their_config(
    micro: dict, their_micro: Callable, answer_of: Callable, tmp_path: Path
) -> None:
    theirs = their_micro("micro")
    theirs.save_pretrained(tmp_path)
    images = torch.randn(1, 3, 64, 64)
    wanted = answer_of(theirs, images)
    assert torch.allclose(load_model(tmp_path / "model.safetensors")(images), wanted, rtol=1e-4, atol=1e-5)
    (tmp_path / "config.json").unlink()
    (tmp_path / "model.safetensors").rename(tmp_path / "mine.bin")
    assert torch.allclose(load_model(tmp_path / "mine.bin")(images), wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("readout", ["ignore", "add"])
def test_config_json_tells_the_readout(
    readout: str, micro: dict, their_micro: Callable, answer_of: Callable, tmp_path: Path
) -> None:
    theirs = their_micro("micro", readout_type=readout)
    theirs.save_pretrained(tmp_path)
    images = torch.randn(1, 3, 64, 64)
    model = load_model(tmp_path)
    assert model.spec.readout == readout
    torch.testing.assert_close(model(images), answer_of(theirs, images), rtol=1e-4, atol=1e-5)


def test_config_json_tells_hooks_and_norms_and_the_processor_the_images(
    micro: dict, their_micro: Callable, tmp_path: Path
) -> None:
    their_micro("micro", layer_norm_eps=1e-3).save_pretrained(tmp_path)
    processor = {"image_mean": IMAGENET_MEAN, "image_std": [0.5, 0.25, 0.5], "size": {"height": 96, "width": 96}}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(processor))
    spec = load_model(tmp_path).spec
    assert (spec.mean, spec.std, spec.train_size) == (IMAGENET_MEAN, (0.5, 0.25, 0.5), 96)
    assert spec.layer_norm_eps == 1e-3


def test_the_norms_epsilon_is_in_force(micro: dict, their_micro: Callable, answer_of: Callable, tmp_path: Path) -> None:
    theirs = their_micro("micro", layer_norm_eps=0.5)
    theirs.save_pretrained(tmp_path)
    images = torch.randn(1, 3, 64, 64)
    torch.testing.assert_close(load_model(tmp_path)(images), answer_of(theirs, images), rtol=1e-4, atol=1e-5)


def test_a_folder_may_hold_a_fine_tuned_variant(micro: dict, their_micro: Callable, tmp_path: Path) -> None:
    their_micro("micro-hybrid").save_pretrained(tmp_path)
    assert load_model(tmp_path).spec.kind is DepthKind.AFFINE_DISPARITY
    assert load_model(tmp_path, variant="micro-hybrid-nyu").spec.kind is DepthKind.METRIC_DEPTH


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model_type": "depth_anything"}, "holds a 'depth_anything' network"),
        ({"backbone_out_indices": None}, "DPT on another backbone"),
        ({"backbone_out_indices": [3, 1, 0, 4]}, "cannot be"),
        ({"backbone_out_indices": [1, 2]}, "cannot be"),
        ({"readout_type": "mean"}, "what no DPT has"),
    ],
)
def test_folders_of_other_networks_are_named(
    change: dict, message: str, micro: dict, their_micro: Callable, tmp_path: Path
) -> None:
    their_micro("micro").save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | change))
    with pytest.raises(DataError, match=message) as caught:
        load_model(tmp_path)
    assert "config.json" in str(caught.value)


def test_damaged_and_empty_folders(micro: dict[str, ModelSpec], their_micro: Callable, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no weights"):
        load_model(tmp_path)
    their_micro("micro").save_pretrained(tmp_path)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(DataError, match="not JSON"):
        load_model(tmp_path)
    (tmp_path / "config.json").write_text("[]")
    with pytest.raises(DataError, match="not a JSON object"):
        load_model(tmp_path)


def test_an_index_cannot_lead_out_of_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    torch.save({"neck.secret": torch.zeros(1)}, tmp_path / "outside.bin")
    index = {"weight_map": {"neck.secret": "../outside.bin"}}
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    with pytest.raises(UsageError, match="cannot be opened"):
        load_model(folder)
