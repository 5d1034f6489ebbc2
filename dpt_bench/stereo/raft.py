"""RAFT of torchvision (Teed and Deng, ECCV 2020), with weights that the user has."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torchvision.models import optical_flow

from dpt_bench.core.errors import UsageError
from dpt_bench.stereo.rules import Flow

MULTIPLE = 8
SMALLEST = 128
"""RAFT works at an eighth of the resolution, in a pyramid of four levels that a smaller picture does not fill."""


def flow_between(left: NDArray[np.uint8], right: NDArray[np.uint8], weights: Path) -> tuple[Flow, Flow]:
    """Forward and backward flow, float32 (H, W, 2), between two RGB pictures of one size, at their full resolution.

    Raises:
        UsageError: the file does not hold weights of torchvision's raft_large or raft_small.
    """
    network = _load(weights)
    height, width = left.shape[:2]
    below, beside = _padding(height), _padding(width)
    eyes = [
        torch.nn.functional.pad(_network_input(eye), (0, beside, 0, below), mode="replicate") for eye in (left, right)
    ]
    with torch.inference_mode():
        flows = [network(first, second)[-1] for first, second in (eyes, eyes[::-1])]
    forward, backward = (flow[0, :, :height, :width].permute(1, 2, 0).contiguous().numpy() for flow in flows)
    return forward, backward


@lru_cache(maxsize=1)
def _load(weights: Path) -> Any:
    fix = "give a file of torchvision.models.optical_flow, such as Raft_Large_Weights.C_T_SKHT_V2"
    if not weights.is_file():
        raise UsageError("the weights of RAFT were not found", where=weights, fix=fix)
    try:
        state = torch.load(weights, map_location="cpu", weights_only=True)
        is_large = any(name.startswith("mask_predictor") for name in state)
        network = (optical_flow.raft_large if is_large else optical_flow.raft_small)(weights=None)
        network.load_state_dict(state)
    except (UnpicklingError, RuntimeError, OSError, EOFError, TypeError, KeyError, AttributeError, ValueError) as error:
        first_line = (str(error).splitlines() or [type(error).__name__])[0]
        raise UsageError(f"this file holds no weights of RAFT: {first_line}", where=weights, fix=fix) from error
    return network.eval()


def _padding(side: int) -> int:
    return max(SMALLEST, -(-side // MULTIPLE) * MULTIPLE) - side


def _network_input(eye: NDArray[np.uint8]) -> torch.Tensor:
    """(1, 3, H, W) in [-1, 1], as torchvision's weights were trained."""
    return torch.from_numpy(np.ascontiguousarray(eye)).permute(2, 0, 1)[None].float() / 127.5 - 1
