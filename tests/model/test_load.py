from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from dpt_bench.core.errors import DataError, UnknownNameError, UsageError
from dpt_bench.model.build import build_model
from dpt_bench.model.checkpoint import Checkpoint, read_checkpoint, save_checkpoint
from dpt_bench.model.load import load_model, model_of_checkpoint
from dpt_bench.model.spec import ModelSpec


@pytest.fixture
def saved(small_spec: ModelSpec, tmp_path: Path) -> Path:
    path = tmp_path / "ckpt.pt"
    save_checkpoint(path, Checkpoint(small_spec, build_model(small_spec).state_dict()))
    return path


def test_a_checkpoint_loads_in_eval_mode_with_its_spec(saved: Path, small_spec: ModelSpec) -> None:
    model = load_model(saved)
    assert model.spec == small_spec
    assert not any(module.training for module in model.modules())
    assert all(parameter.requires_grad for parameter in model.parameters())
    assert model(torch.randn(1, 3, 32, 64)).shape == (1, 32, 64)


def test_the_moving_average_is_preferred(saved: Path) -> None:
    checkpoint = read_checkpoint(saved)
    ema = {key: value + 1 for key, value in checkpoint.weights.items()}
    save_checkpoint(saved, replace(checkpoint, ema=ema))
    key = "head.layers.0.weight"
    assert torch.equal(load_model(saved).state_dict()[key], ema[key])
    plain = model_of_checkpoint(read_checkpoint(saved), saved, ema=False)
    assert torch.equal(plain.state_dict()[key], checkpoint.weights[key])


def test_weights_that_do_not_fit_their_spec_are_named_and_counted(saved: Path) -> None:
    checkpoint = read_checkpoint(saved)
    wider = checkpoint.spec.model_copy(update={"features": 32})
    save_checkpoint(saved, replace(checkpoint, spec=wider))
    with pytest.raises(DataError, match=r"\d\d keys differ: reassemble.0.to_features.weight is .*; and \d+ more"):
        load_model(saved)
    weights = dict(checkpoint.weights)
    weights["extra"] = weights.pop("head.layers.0.bias")
    save_checkpoint(saved, replace(checkpoint, weights=weights))
    with pytest.raises(DataError, match=r"2 keys differ: head.layers.0.bias is missing; extra is unexpected"):
        load_model(saved)


def test_a_variants_name_gives_a_fresh_network() -> None:
    model = load_model("dpt-tiny")
    assert not model.training
    assert model.spec.backbone == "conv_hybrid_tiny"


def test_names_and_paths_that_lead_nowhere(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'dpt-tiny'"):
        load_model("dpt-tinny")
    with pytest.raises(UsageError, match="No such file"):
        load_model(tmp_path / "ckpt.pt")


def test_tensors_of_another_project_are_foreign(tmp_path: Path) -> None:
    torch.save({"layer.weight": torch.zeros(3)}, tmp_path / "other.pt")
    with pytest.raises(DataError, match="neither a dpt_bench checkpoint nor released"):
        load_model(tmp_path / "other.pt")
