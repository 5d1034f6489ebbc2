"""How much of the machine's arithmetic a run uses: model FLOPs, counted, over a matrix product's measured rate."""

from __future__ import annotations

import time
from functools import cache

import torch
from torch.utils.flop_counter import FlopCounterMode

from dpt_bench.model.build import empty_model
from dpt_bench.model.spec import ModelSpec

SIDE = {"cuda": 8192, "cpu": 1024}
SECONDS, AT_ONCE = 0.1, 4


def flops_per_image(spec: ModelSpec, side: int) -> int:
    """Floating-point operations of a forward and backward pass over one image (a multiply-add is two).

    What gradient checkpointing computes again, and what multiple-gradient descent adds, is no part of it.
    """
    return _flops(spec.model_dump_json(), side)


@cache
def _flops(spec: str, side: int) -> int:
    model = empty_model(ModelSpec.model_validate_json(spec)).train()
    images = torch.empty(2, 3, side, side, device="meta")  # batch norm refuses a single one
    with FlopCounterMode(display=False) as counter:
        model(images).sum().backward()
    return int(counter.get_total_flops()) // 2


@cache
def peak_flops_per_second(device: torch.device, dtype: torch.dtype) -> float:
    """The rate of a large square matrix product in `dtype`, measured here for a tenth of a second."""
    side = SIDE[device.type]
    a, b = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
    best, began = float("inf"), time.monotonic()
    while time.monotonic() - began < SECONDS:
        best = min(best, _seconds(a, b))
    return 2 * side**3 / best


def _seconds(a: torch.Tensor, b: torch.Tensor) -> float:
    if a.device.type == "cuda":
        torch.cuda.synchronize(a.device)
    began = time.perf_counter()
    for _ in range(AT_ONCE):
        a @ b
    if a.device.type == "cuda":
        torch.cuda.synchronize(a.device)
    return (time.perf_counter() - began) / AT_ONCE
