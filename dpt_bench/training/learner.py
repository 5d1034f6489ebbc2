"""One optimiser step: forward, losses, backward, the guard against numbers that are not finite, update."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from dpt_bench.loading import Batch
from dpt_bench.loading.randomness import Stream
from dpt_bench.model.checkpoint import Checkpoint
from dpt_bench.model.dpt import DPT
from dpt_bench.training.config import Preset
from dpt_bench.training.distributed import World
from dpt_bench.training.ema import MovingAverage
from dpt_bench.training.multi_objective import uniform_loss
from dpt_bench.training.optimiser import build_optimiser, set_rates
from dpt_bench.training.tasks._contract import Task

DTYPES = {"fp32": torch.float32, "bf16": torch.float32, "fp64": torch.float64}


@dataclass(frozen=True)
class Outcome:
    """What a step found on this rank's images: losses (B,) on the CPU with their datasets; the norm before clipping."""

    losses: Tensor
    dataset: Tensor
    gradient_norm: float
    finite: bool


class Learner:
    """A network with its optimiser and moving average; `step` moves all three."""

    def __init__(self, model: DPT, preset: Preset, task: Task, world: World) -> None:
        layout = torch.channels_last if preset.channels_last else torch.contiguous_format
        self.model = model.to(world.device, DTYPES[preset.precision]).to(memory_format=layout).train()
        self.optimiser = build_optimiser(self.model, preset.optimiser)
        self.average = MovingAverage(self.model, preset.ema) if preset.ema is not None else None
        self._preset, self._task, self._world = preset, task, world
        self._parameters = list(self.model.parameters())
        self._prepare = InputNormaliser(self.model, world.device)
        self._parallel = world.parallel(self.model)
        self._forward: Callable[[Tensor], Tensor] = torch.compile(self._parallel) if preset.compile else self._parallel

    @property
    def evaluated(self) -> DPT:
        """The network that is validated and used: the moving average where there is one."""
        return self.model if self.average is None else self.average.model

    def restore(self, checkpoint: Checkpoint) -> None:
        """Take over weights, optimiser and moving average of a checkpoint of the same network."""
        self.model.load_state_dict(checkpoint.weights)
        if checkpoint.optimiser is not None:
            self.optimiser.load_state_dict(checkpoint.optimiser)
        if self.average is not None:
            self.average.model.load_state_dict(checkpoint.ema if checkpoint.ema is not None else checkpoint.weights)

    def step(self, batch: Batch, step: int) -> Outcome:
        """Learn from this rank's share of step number `step`, counted from 0.

        With an outcome that is not finite nothing was updated.
        """
        seed_torch(self._preset.seed, step, self._world.rank)
        set_rates(self.optimiser, self._preset.optimiser, step, self._preset.total_steps)
        self.optimiser.zero_grad(set_to_none=True)
        losses = torch.cat([self._backward(part, last=last, of=len(batch)) for part, last in self._parts(batch)])
        limit = self._preset.optimiser.clip
        norm = nn.utils.clip_grad_norm_(self._parameters, float("inf") if limit is None else limit)
        numbers = torch.cat([losses, norm.reshape(1).to(losses)]).cpu()  # the one wait for the device in a step
        finite = bool(numbers.isfinite().all())
        if finite:
            self.optimiser.step()
            if self.average is not None:
                self.average.update(self.model, step)
        return Outcome(numbers[:-1], batch.dataset.cpu(), float(numbers[-1]), finite)

    @torch.no_grad()
    def predict(self, batch: Batch) -> Tensor:
        """(B, H, W) from the network that is used, in eval mode."""
        network = self.evaluated
        was_training = network.training
        network.eval()
        with self._autocast():
            prediction: Tensor = network(self._prepare(batch.images))
        network.train(was_training)
        return prediction

    def _parts(self, batch: Batch) -> list[tuple[Batch, bool]]:
        size = -(-len(batch) // self._preset.accumulate)
        starts = range(0, len(batch), size)
        return [(batch.part(start, start + size), start == starts[-1]) for start in starts]

    def _backward(self, part: Batch, *, last: bool, of: int) -> Tensor:
        """Add the gradient of a part to that of the batch; ranks exchange gradients with the last one."""
        with self._local_only(last=last):
            with self._autocast():
                prediction = self._forward(self._prepare(part.images))
            losses = self._task.losses(prediction, part)
            torch.autograd.backward(uniform_loss(losses, of))
        return losses.detach()

    def _local_only(self, *, last: bool) -> AbstractContextManager[Any]:
        silent = getattr(self._parallel, "no_sync", None)
        return nullcontext() if last or silent is None else silent()

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self._world.device.type, dtype=torch.bfloat16, enabled=self._preset.precision == "bf16")


class InputNormaliser:
    """uint8 images (B, 3, H, W) -> (image / 255 - mean) / std in the network's dtype, on the device."""

    def __init__(self, model: DPT, device: torch.device) -> None:
        dtype = next(model.parameters()).dtype
        std = torch.tensor(model.spec.std, dtype=torch.float64)
        mean = torch.tensor(model.spec.mean, dtype=torch.float64)
        self._factor = (1 / (255 * std)).to(device, dtype).reshape(1, 3, 1, 1)
        self._offset = (-mean / std).to(device, dtype).reshape(1, 3, 1, 1)

    def __call__(self, images: Tensor) -> Tensor:
        return torch.addcmul(self._offset, images.to(self._factor.dtype), self._factor)


def seed_torch(*words: int | str) -> None:
    """Make torch's random numbers a pure function of `words`: dropout resumes exactly, whatever happened before."""
    torch.manual_seed(int(Stream("torch", *words).uniform(1)[0] * 2**53))
