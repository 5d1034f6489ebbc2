"""Training steps on a CUDA device: the weights of the CPU, the guard against numbers that are not finite, a whole run."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dpt_bench.loading import PackedBatch
from dpt_bench.loading.batch import pack
from dpt_bench.model.build import build_model
from dpt_bench.model.checkpoint import read_checkpoint
from dpt_bench.training import load_preset, train
from dpt_bench.training.distributed import World
from dpt_bench.training.learner import Learner, seed_torch
from dpt_bench.training.tasks._contract import load_task

pytestmark = pytest.mark.gpu
TESTS = Path(__file__).parents[1]
small_shards, shards_url = map(
    runpy.run_path(str(TESTS / "loading" / "conftest.py")).get, ("small_shards", "shards_url")
)
MICRO: dict[str, Any] = {
    "model.spec.backbone": str(TESTS / "training" / "micro_backbone.py"),
    "model.spec.hooks": [0, 1],
    "model.spec.widths": [16, 16, 16, 16],
    "model.spec.features": 16,
    "model.spec.batch_norm": False,
    "batch_size": 6,
    "crop": 64,
}


def learner(place: torch.device, **changes: Any) -> Learner:
    preset = load_preset("demo", {**MICRO, **changes})
    seed_torch(1)
    return Learner(build_model(preset.model.resolved(preset.crop)), preset, load_task(preset), World(0, 1, place))


def batch() -> PackedBatch:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 2**16, (6, 64, 64), np.uint16)
    return PackedBatch(
        memory=pack(rng.integers(0, 256, (6, 64, 64, 3), np.uint8), codes),
        size=(64, 64),
        span=np.full((6, 2), np.nan, np.float32),
        dataset=np.array([0, 1, 0, 2, 1, 0]),
        names=("a", "b", "c"),
        keys=tuple("uvwxyz"),
    )


def everything(subject: Learner) -> list[torch.Tensor]:
    """Weights, their average, Adam's moments and counts of steps."""
    assert subject.average is not None
    moments = [value for state in subject.optimiser.state.values() for value in state.values()]
    tensors = [*subject.model.state_dict().values(), *subject.average.model.state_dict().values(), *moments]
    return [tensor.detach().cpu().clone() for tensor in tensors]


@pytest.mark.parametrize("changes", [{}, {"accumulate": 2}, {"multi_objective.method": "mgda"}], ids=str)
def test_steps_give_the_weights_of_the_cpu(changes: dict[str, Any], device: torch.device) -> None:
    """In float64, where a difference is a mistake and no rounding."""
    found = []
    for place in (torch.device("cpu"), device):
        subject = learner(place, precision="fp64", **changes)
        outcomes = [subject.step(batch().to(place), step) for step in range(3)]
        assert all(outcome.finite for outcome in outcomes)
        found.append((outcomes[-1].losses, everything(subject)))
    torch.testing.assert_close(found[0][0], found[1][0], rtol=1e-6, atol=1e-9)
    for here, there in zip(found[0][1], found[1][1], strict=True):
        torch.testing.assert_close(here, there, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("method", ["uniform", "mgda"])
def test_a_step_that_is_not_finite_updates_nothing(method: str, precision: str, device: torch.device) -> None:
    subject = learner(device, precision=precision, **{"multi_objective.method": method})
    assert subject.step(batch().to(device), 0).finite
    bias = subject.model.head.layers[0].bias
    assert bias is not None
    with torch.no_grad():
        bias.fill_(float("nan"))
    before = everything(subject)
    assert not subject.step(batch().to(device), 1).finite
    for old, now in zip(before, everything(subject), strict=True):
        torch.testing.assert_close(old, now, rtol=0, atol=0, equal_nan=True)


@pytest.mark.filterwarnings("ignore")  # of the compiler about itself
@pytest.mark.parametrize("method", ["uniform", "mgda"])
def test_a_compiled_run_in_bfloat16_goes_on_where_it_stopped(
    method: str, device: torch.device, shards_url: str, tmp_path: Path
) -> None:
    torch._dynamo.reset()
    settings = {**MICRO, "precision": "bf16", "compile": True, "device": device.type, "data.workers": 1}
    settings |= {"multi_objective.method": method, "checkpoints.every": 2, "validation.every": 2}
    for steps in (2, 4):
        report = train("demo", shards_url, tmp_path / "run", overrides={**settings, "steps": steps}, resume=steps == 4)
    assert report.status == "done"
    checkpoint = read_checkpoint(tmp_path / "run" / "latest.pt")
    assert checkpoint.step == 4
    assert all(torch.isfinite(tensor).all() for tensor in checkpoint.weights.values())
