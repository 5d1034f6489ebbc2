"""Images a second, model FLOPs utilisation and memory of training steps, beside a loop with transformers' DPT.

`nox -s gpu -- -s tests/gpu/test_training_speed.py` prints the table; nothing here asserts a time.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from dpt_bench.loading import Batch, PackedBatch
from dpt_bench.loading.batch import pack
from dpt_bench.losses import PAPER, depth_loss
from dpt_bench.model.build import build_model
from dpt_bench.training.config import load_preset
from dpt_bench.training.distributed import World
from dpt_bench.training.flops import flops_per_image, peak_flops_per_second
from dpt_bench.training.learner import Learner
from dpt_bench.training.tasks._contract import load_task

pytestmark = pytest.mark.gpu
VARIANTS = ("dpt-base", "dpt-hybrid", "dpt-large")
BATCH, SIDE, DATASETS = 16, 384, 10
WARM_UP, TIMED = 6, 20


@dataclass(frozen=True)
class Row:
    what: str
    images_per_second: float
    mfu: float
    gib: float


@pytest.fixture(scope="module")
def cuda() -> torch.device:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    return torch.device("cuda", 0)


@pytest.fixture(scope="module")
def table() -> Iterator[list[Row]]:
    rows: list[Row] = []
    yield rows
    print(f"\n\n{'training step, batch 16 of 384 x 384, bf16':<64}{'images/s':>10}{'MFU':>8}{'GiB':>8}")
    for row in rows:
        print(f"{row.what:<64}{row.images_per_second:>10.1f}{row.mfu:>8.1%}{row.gib:>8.1f}")
    print("MFU: the network's FLOPs, counted once, over the rate of an 8192^3 bf16 matrix product measured here")


def batch(device: torch.device) -> Batch:
    """Channels last and with the targets of shards, as loaders deliver it; a tenth of the pixels is invalid."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (BATCH, SIDE, SIDE, 3), np.uint8)
    codes = rng.integers(1, 2**16, (BATCH, SIDE, SIDE), np.uint16) * (rng.random((BATCH, SIDE, SIDE)) < 0.9)
    packed = PackedBatch(
        memory=pack(images, codes),
        size=(SIDE, SIDE),
        span=np.full((BATCH, 2), np.nan, np.float32),
        dataset=rng.integers(0, DATASETS, BATCH),
        names=tuple(f"dataset-{number}" for number in range(DATASETS)),
        keys=tuple(map(str, range(BATCH))),
    )
    return packed.to(device)


def ours(variant: str, device: torch.device, **changes: Any) -> Callable[[int], object]:
    preset = load_preset("mix6-dpt-base", {"model.variant": variant, "multi_objective.method": "uniform", **changes})
    torch.manual_seed(0)
    model = build_model(preset.model.resolved(SIDE))
    learner = Learner(model, preset, load_task(preset), World(0, 1, device))
    whole = batch(device)
    return lambda step: learner.step(whole, step)


def theirs(network: nn.Module, device: torch.device, *, compiled: bool) -> Callable[[int], object]:
    """The loop that one writes with transformers: the same loss, optimiser, autocast and fused Adam."""
    network.to(device).train()
    call = torch.compile(network) if compiled else network
    used = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimiser = torch.optim.Adam(used, lr=1e-5, fused=True)
    whole = batch(device)
    scale, shift = 1 / 127.5, -1.0

    def step(_: int) -> float:
        optimiser.zero_grad(set_to_none=True)
        with torch.autocast(device.type, torch.bfloat16):
            prediction = call(pixel_values=whole.images.float() * scale + shift).predicted_depth
        loss = depth_loss(prediction, whole.target, whole.valid, PAPER)
        loss.backward()
        optimiser.step()
        return loss.item()

    return step


def seconds_per_step(step: Callable[[int], object]) -> float:
    for number in range(WARM_UP):
        step(number)
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    began = time.perf_counter()
    for number in range(WARM_UP, WARM_UP + TIMED):
        step(number)
    torch.cuda.synchronize()
    return (time.perf_counter() - began) / TIMED


def measured(what: str, variant: str, step: Callable[[int], object], device: torch.device) -> Row:
    speed = BATCH / seconds_per_step(step)
    flops = flops_per_image(load_preset("mix6-dpt-base", {"model.variant": variant}).model.resolved(SIDE), SIDE)
    peak = peak_flops_per_second(device, torch.bfloat16)
    return Row(what, speed, speed * flops / peak, torch.cuda.max_memory_allocated() / 2**30)


def released() -> None:
    torch._dynamo.reset()
    gc.collect()
    torch.cuda.empty_cache()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_a_step_beside_transformers(
    variant: str, compiled: bool, cuda: torch.device, table: list[Row], transformers_dpt: Callable[[str], nn.Module]
) -> None:
    released()
    way = "compiled" if compiled else "eager"
    table.append(measured(f"{variant}, {way}", variant, ours(variant, cuda, compile=compiled), cuda))
    released()
    step = theirs(transformers_dpt(variant), cuda, compiled=compiled)
    table.append(measured(f"{variant}, {way}, transformers", variant, step, cuda))
    assert table[-2].images_per_second > 0
    assert 0 < table[-2].mfu < 1


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(
    ("what", "changes"),
    [
        ("MGDA in every step", {}),
        ("MGDA in every step, compiled", {"compile": True}),
        ("MGDA in every 8th step", {"multi_objective.every": 8}),
        ("MGDA on the decoder", {"multi_objective.parameters": ["reassemble.", "fusion.", "head."]}),
        ("MGDA on the head, every 8th", {"multi_objective.parameters": ["head."], "multi_objective.every": 8}),
    ],
)
def test_the_cost_of_multiple_gradient_descent(
    variant: str, what: str, changes: dict[str, Any], cuda: torch.device, table: list[Row]
) -> None:
    released()
    step = ours(variant, cuda, **{**changes, "multi_objective.method": "mgda"})
    table.append(measured(f"{variant}, {what}", variant, step, cuda))
    assert table[-1].images_per_second > 0


def test_the_loss_is_a_small_part_of_a_step(cuda: torch.device, capsys: pytest.CaptureFixture[str]) -> None:
    whole = batch(cuda)
    prediction = torch.rand(BATCH, SIDE, SIDE, device=cuda, requires_grad=True)

    def loss(_: int) -> None:
        prediction.grad = None
        depth_loss(prediction, whole.target, whole.valid, PAPER).backward()

    alone = seconds_per_step(loss)
    step = seconds_per_step(ours("dpt-large", cuda))
    with capsys.disabled():
        print(f"\nloss forward and backward: {alone * 1e3:.2f} ms, {alone / step:.1%} of a DPT-Large step")
    assert alone < step
