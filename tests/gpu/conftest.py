"""The device under test, and arithmetic in full float32 on it."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator

import pytest
import torch


@pytest.fixture
def device() -> torch.device:
    """The first GPU; `DPT_BENCH_OTHER_DEVICE=cpu` tries the tests themselves where there is none."""
    named = torch.device(os.environ.get("DPT_BENCH_OTHER_DEVICE", "cuda"))
    if named.type == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    return named


@pytest.fixture
def exact(device: torch.device) -> Iterator[torch.device]:
    """The device, without TF32, whose products have 10 bits."""
    switches = (torch.backends.cuda.matmul, torch.backends.cudnn)
    with warnings.catch_warnings(action="ignore"):  # torch deprecates these names; the new ones came with torch 2.9
        before = [switch.allow_tf32 for switch in switches]
        for switch in switches:
            switch.allow_tf32 = False
        yield device
        for switch, value in zip(switches, before, strict=True):
            switch.allow_tf32 = value
