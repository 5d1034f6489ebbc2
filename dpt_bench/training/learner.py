"""One optimiser step: losses, the gradient of all datasets, the guard against numbers that are not finite, update."""

from __future__ import annotations

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
from dpt_bench.training.multi_objective import build_multi_objective
from dpt_bench.training.optimiser import build_optimiser, load_moments, set_rates
from dpt_bench.training.passes import Passes
from dpt_bench.training.tasks._contract import Task

DTYPES = {"fp32": torch.float32, "bf16": torch.float32, "fp64": torch.float64}


@dataclass(frozen=True)
class Outcome:
    """What a step found on this rank's images: losses (B,) on the CPU with their datasets; the norm before clipping."""

    losses: Tensor
    dataset: Tensor
    names: tuple[str, ...]
    gradient_norm: float
    finite: bool


class Learner:
    """A network with its optimiser and moving average; `step` moves all three."""

    def __init__(self, model: DPT, preset: Preset, task: Task, world: World) -> None:
        if world.device.type == "cuda":
            torch.backends.cudnn.benchmark = True  # views have one size: looking for the fastest convolutions pays
        layout = torch.channels_last if preset.channels_last else torch.contiguous_format
        model.checkpoint_gradients(enabled=preset.gradient_checkpointing)
        model.to(world.device, DTYPES[preset.precision])
        world.share((*model.parameters(), *model.buffers()))  # kinds of CPUs may round initial weights differently
        self.model = model.to(memory_format=layout).train()
        self.optimiser = build_optimiser(self.model, preset.optimiser)
        self.average = MovingAverage(self.model, preset.ema) if preset.ema is not None else None
        self._preset, self._world = preset, world
        self._parameters = list(self.model.parameters())
        self._passes = Passes(self.model, preset, task, world)
        self.multi_objective = build_multi_objective(preset.multi_objective, self._passes)

    @property
    def evaluated(self) -> DPT:
        """The network that is validated and used: the moving average where there is one."""
        return self.model if self.average is None else self.average.model

    def state(self) -> dict[str, Any]:
        """Of the optimiser and of the multi-objective method."""
        return {**self.optimiser.state_dict(), "multi_objective": self.multi_objective.state_dict()}

    def restore(self, checkpoint: Checkpoint) -> None:
        """Take over weights, optimiser and moving average of a checkpoint of the same network."""
        self.model.load_state_dict(checkpoint.weights)
        if checkpoint.optimiser is not None:
            state = dict(checkpoint.optimiser)
            self.multi_objective.load_state_dict(state.pop("multi_objective", {}))
            load_moments(self.optimiser, state)
        if self.average is not None:
            self.average.model.load_state_dict(checkpoint.ema if checkpoint.ema is not None else checkpoint.weights)

    def step(self, batch: Batch, step: int) -> Outcome:
        """Learn from this rank's share of step number `step`, counted from 0.

        With an outcome that is not finite nothing was updated.
        """
        seed_torch(self._preset.seed, step, self._world.rank)
        set_rates(self.optimiser, self._preset.optimiser, step, self._preset.total_steps)
        self.optimiser.zero_grad(set_to_none=True)
        losses = self.multi_objective.backward(batch, step)
        norm = self._clipped()
        numbers = torch.cat([losses, norm.reshape(1).to(losses)])
        # The fused optimisers skip a step by a flag on the device, as torch's GradScaler tells them to: the update is
        # under way before this process waits for the numbers, with uniform mixing its one wait in a step.
        self.optimiser.found_inf = (~numbers.isfinite().all()).float()  # type: ignore[attr-defined]
        self.optimiser.step()
        numbers = numbers.cpu()
        finite = bool(numbers.isfinite().all())
        if finite and self.average is not None:
            self.average.update(self.model, step)
        return Outcome(numbers[:-1], batch.dataset.cpu(), batch.names, float(numbers[-1]), finite)

    def _clipped(self) -> Tensor:
        """The norm of the gradient before it is clipped."""
        gradients = [parameter.grad for parameter in self._parameters if parameter.grad is not None]
        norm = nn.utils.get_total_norm(gradients)
        if self._preset.optimiser.clip is not None:
            nn.utils.clip_grads_with_norm_(self._parameters, self._preset.optimiser.clip, norm)
        return norm

    def predict(self, batch: Batch) -> Tensor:
        """(B, H, W) from the network that is used, in eval mode."""
        return self._passes.predict(self.evaluated, batch)


def seed_torch(*words: int | str) -> None:
    """Make torch's random numbers a pure function of `words`: dropout resumes exactly, whatever happened before."""
    torch.manual_seed(int(Stream("torch", *words).uniform(1)[0] * 2**53))
