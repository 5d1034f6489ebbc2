"""The torch device that a user names."""

from __future__ import annotations

import torch

from dpt_bench.core.errors import UsageError


def find_device(name: str) -> torch.device:
    """The device of this name.

    Raises:
        UsageError: there is none here.
    """
    try:
        device = torch.device(name)
    except RuntimeError:
        raise UsageError(f"unknown device {name!r}", fix="cpu, cuda or cuda:0") from None
    if device.type == "cuda" and not torch.cuda.is_available():
        raise UsageError("no CUDA device here", where=name, fix="use the device cpu")
    return device
