"""One process, or several under torchrun: who this process is, and the few things that ranks must agree on."""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from dpt_bench.core.errors import DptBenchError, UsageError

Result = TypeVar("Result")


@dataclass(frozen=True)
class World:
    """This process among `size`. control: a gloo group for numbers on the CPU: agreeing never waits for a GPU."""

    rank: int
    size: int
    device: torch.device
    control: dist.ProcessGroup | None = None

    @property
    def is_main(self) -> bool:
        return self.rank == 0

    def sum(self, numbers: Tensor) -> Tensor:
        """The sum of a CPU tensor over all ranks."""
        total = numbers.clone()
        if self.control is not None:
            dist.all_reduce(total, group=self.control)
        return total

    def sum_on_device(self, numbers: Tensor) -> Tensor:
        """The sum over all ranks of a tensor on the device; the CPU does not wait for it."""
        if self.control is not None:
            dist.all_reduce(numbers)
        return numbers

    def share(self, tensors: Iterable[Tensor]) -> None:
        """Give every rank the values that rank 0 has, which are those that a checkpoint holds."""
        if self.control is not None:
            for tensor in tensors:
                dist.broadcast(tensor.detach(), src=0)

    def any(self, *, flag: bool) -> bool:
        """Whether it is true on any rank."""
        return bool(self.sum(torch.tensor(int(flag))).item())

    def from_main(self, value: Any) -> Any:
        """Rank 0's value, on every rank."""
        if self.control is None:
            return value
        box = [value]
        dist.broadcast_object_list(box, src=0, group=self.control)
        return box[0]

    def on_main(self, work: Callable[[], Result]) -> Result:
        """Do something on rank 0 alone; its result, or its DptBenchError, becomes that of every rank."""
        outcome: Result | DptBenchError | None = None
        if self.is_main:
            try:
                outcome = work()
            except DptBenchError as error:
                outcome = error
        shared = self.from_main(outcome)
        if isinstance(shared, DptBenchError):
            raise shared
        result: Result = shared
        return result

    def parallel(self, model: nn.Module) -> nn.Module:
        """The model whose backward pass averages gradients over ranks; every parameter must get one in each step."""
        if self.control is None:
            return model
        devices = [self.device.index] if self.device.type == "cuda" else None
        return DistributedDataParallel(model, device_ids=devices, gradient_as_bucket_view=True)


@contextmanager
def joined_world(wanted: Literal["auto", "cpu", "cuda"]) -> Iterator[World]:
    """The world that the environment describes (torchrun's variables); alone without them.

    A process group that is there already is used and left alone.

    Raises:
        UsageError: a GPU is wanted and there is none.
    """
    rank, size, local = (int(os.environ.get(name, default)) for name, default in
                         (("RANK", 0), ("WORLD_SIZE", 1), ("LOCAL_RANK", 0)))  # fmt: skip
    device = _device(wanted, local)
    if size == 1:
        yield World(0, 1, device)
        return
    if not dist.is_initialized():
        # Until the process ends: a second run in it would otherwise meet the others at an address still in use.
        dist.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo")
        atexit.register(_leave)
    control = dist.new_group(backend="gloo")
    assert isinstance(control, dist.ProcessGroup)
    try:
        yield World(rank, size, device, control)
    finally:
        dist.destroy_process_group(control)


def _leave() -> None:
    if dist.is_initialized():
        dist.destroy_process_group()


def _device(wanted: Literal["auto", "cpu", "cuda"], local_rank: int) -> torch.device:
    if wanted == "cuda" and not torch.cuda.is_available():
        raise UsageError("a GPU is wanted, but torch sees none", where="device = 'cuda'", fix="set device=cpu")
    if wanted == "cpu" or not torch.cuda.is_available():
        return torch.device("cpu")
    device = torch.device("cuda", local_rank)
    torch.cuda.set_device(device)
    return device
