"""The cost of a network: FLOPs counted, time and memory measured."""

from __future__ import annotations

import platform
import re
import time
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

_MATRIX = {"cpu": 2048, "cuda": 8192}
_MATRIX_RUNS = 5


@dataclass(frozen=True)
class Network:
    """forward: normalised images (B, 3, H, W) -> depth."""

    name: str
    module: nn.Module
    forward: Callable[[Tensor], object]


@dataclass(frozen=True)
class Setting:
    """How networks are run."""

    device: torch.device
    bf16: bool

    def run(self, call: Callable[[], object]) -> None:
        """One finished run."""
        with torch.inference_mode(), torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            call()
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def seconds(self, call: Callable[[], object]) -> float:
        """Time of one run."""
        start = time.perf_counter()
        self.run(call)
        return time.perf_counter() - start


def count_parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def count_flops(network: Network, images: Tensor) -> int:
    """Of matrix products and convolutions, a multiplication and an addition counted as two."""
    with torch.inference_mode(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        network.forward(images)
    return int(counter.get_total_flops())


def peak_bytes(network: Network, images: Tensor, setting: Setting) -> int:
    """Weights, and the peak of what one run adds to them.

    On a GPU as its allocator counts; elsewhere the tensors that are alive at once, without what libraries use inside.
    """
    weights = sum(one.numel() * one.element_size() for one in (*network.module.parameters(), *network.module.buffers()))
    if setting.device.type == "cuda":
        before = int(torch.cuda.memory_allocated(setting.device))
        torch.cuda.reset_peak_memory_stats(setting.device)
        setting.run(lambda: network.forward(images))
        return weights + int(torch.cuda.max_memory_allocated(setting.device)) - before
    live = LiveBytes()
    with live:
        setting.run(lambda: network.forward(images))
    return weights + live.peak


class LiveBytes(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the memory of tensors that operations make while it is entered; `peak` is the most at any time."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.now = self.peak = 0
        self._alive: set[int] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run the operation, and count what it made."""
        known = {one.untyped_storage()._cdata for one in tree_leaves((args, kwargs)) if isinstance(one, Tensor)}
        made = func(*args, **(kwargs or {}))
        for one in tree_leaves(made):
            if isinstance(one, Tensor) and one.untyped_storage()._cdata not in known | self._alive:
                self._count(one.untyped_storage())
        return made

    def _count(self, storage: torch.UntypedStorage) -> None:
        identity, size = storage._cdata, storage.nbytes()
        self._alive.add(identity)
        self.now += size
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._forget, identity, size)

    def _forget(self, identity: int, size: int) -> None:
        self._alive.discard(identity)
        self.now -= size


def take_turns(networks: Sequence[Network], images: Tensor, setting: Setting, runs: int) -> list[list[float]]:
    """Seconds of `runs` runs of each network; every network runs once before any runs again."""
    times: list[list[float]] = [[] for _ in networks]
    for _ in range(runs):
        for place, network in enumerate(networks):
            times[place].append(setting.seconds(lambda forward=network.forward: forward(images)))  # type: ignore[misc]
    return times


def matrix_rate(setting: Setting) -> float:
    """FLOP/s of the fastest of several square matrix products in this precision: what the device reaches at best."""
    side = _MATRIX[setting.device.type]
    dtype = torch.bfloat16 if setting.bf16 else torch.float32
    left = torch.randn(side, side, device=setting.device, dtype=dtype)
    setting.seconds(lambda: left @ left)  # the first one chooses and loads its kernel
    return 2.0 * side**3 / min(setting.seconds(lambda: left @ left) for _ in range(_MATRIX_RUNS))


def machine(device: torch.device) -> str:
    """The device's name, and the versions that matter."""
    if device.type == "cuda":
        return f"{torch.cuda.get_device_name(device)}, torch {torch.__version__}"
    return f"{_processor()}, {torch.get_num_threads()} threads, torch {torch.__version__}"


def _processor() -> str:
    try:
        named = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), flags=re.MULTILINE)
    except OSError:
        named = None
    return named[1].strip() if named else platform.processor() or platform.machine()
