"""Forward and backward passes of a network over one rank's share of a batch, in parts that fit the memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from dpt_bench.loading import Batch
from dpt_bench.model.dpt import DPT
from dpt_bench.training.config import Preset
from dpt_bench.training.distributed import World
from dpt_bench.training.tasks._contract import Task


class Images(NamedTuple):
    """Some images of a batch. counts: of `Passes.mean_counts`, for all of it."""

    batch: Batch
    places: Sequence[int]
    counts: Tensor | None


class Passes:
    """What a step does with a network: losses of images, and their gradients, within this rank or over all."""

    def __init__(self, model: DPT, preset: Preset, task: Task, world: World) -> None:
        self.model, self.task, self.world = model, task, world
        self._preset = preset
        self._prepare = InputNormaliser(model, world.device)

    def mean_counts(self, batch: Batch, shares: Tensor, objective: Tensor, num_objectives: int) -> Tensor | None:
        """The task's counts, summed with `shares` over the images of each objective and over ranks: (B, K).

        shares: (B,), of one in all for every objective. objective: (B,) numbers.
        """
        counts = self.task.counts(batch)
        if counts is None:
            return None
        sums = counts.new_zeros(num_objectives, counts.shape[1])
        sums.index_add_(0, objective, shares[:, None].to(counts.dtype) * counts)
        return self.world.sum_on_device(sums)[objective]

    def weighted_backward(self, batch: Batch, weights: Tensor, counts: Tensor | None = None) -> Tensor:
        """Leave in `.grad` the mean over ranks of the gradient of sum(weights * losses); the losses, (B,).

        weights: (B,) on the device. counts: of `mean_counts`.
        """
        parts = self._parts(range(len(batch)), len(batch))
        found = []
        for part in parts:
            with self._local_only(last=part is parts[-1]):
                images = slice(part[0], part[-1] + 1)
                shared = None if counts is None else counts[images]
                losses = self._losses(batch.part(images.start, images.stop), self._together, shared)
                torch.autograd.backward((losses * weights[images].to(losses.dtype)).sum())
            found.append(losses.detach())
        return torch.cat(found)

    def gradients(self, images: Images, parameters: Sequence[Tensor], sums: Sequence[Tensor], weight: float) -> Tensor:
        """Add to `sums` the gradient of weight * the losses of these images, of this rank alone; the losses.

        sums: one tensor a parameter. `.grad` is not touched.
        """
        found = []
        for part in self._parts(images.places, len(images.batch)):
            shared = None if images.counts is None else images.counts[list(part)]
            losses = self._losses(images.batch.chosen(part), self._alone_any_count, shared)
            gradients = torch.autograd.grad(losses.sum() * weight, parameters, allow_unused=True)
            pairs = [(total, one) for total, one in zip(sums, gradients, strict=True) if one is not None]
            torch._foreach_add_([total for total, _ in pairs], [one for _, one in pairs])
            found.append(losses.detach())
        return torch.cat(found)

    @cached_property
    def _parallel(self) -> nn.Module:
        """Made when first used: what multiple-gradient descent does alone needs no buckets for another exchange."""
        return self.world.parallel(self.model)

    @cached_property
    def _together(self) -> Callable[[Tensor], Tensor]:
        return self._alone if self._parallel is self.model else self._compiled(self._parallel)

    @cached_property
    def _alone(self) -> Callable[[Tensor], Tensor]:
        return self._compiled(self.model)

    def _alone_any_count(self, images: Tensor) -> Tensor:
        """The network compiled once for two and more images, and once for one, which the compiler treats apart."""
        if self._preset.compile:
            torch._dynamo.maybe_mark_dynamic(images, 0)
        return self._alone(images)

    @torch.no_grad()
    def predict(self, network: DPT, batch: Batch) -> Tensor:
        """(B, H, W) from a network of the same kind, in eval mode."""
        was_training = network.training
        network.eval()
        with self._autocast():
            prediction: Tensor = network(self._prepare(batch.images))
        network.train(was_training)
        return prediction

    def _losses(self, part: Batch, network: Callable[[Tensor], Tensor], counts: Tensor | None) -> Tensor:
        with self._autocast():
            prediction = network(self._prepare(part.images))
        return self.task.losses(prediction, part, counts)

    def _parts(self, places: Sequence[int], batch_size: int) -> list[Sequence[int]]:
        """Cut so that none is larger than a part of the whole batch."""
        size = -(-batch_size // self._preset.accumulate)
        return [places[start : start + size] for start in range(0, len(places), size)]

    def _local_only(self, *, last: bool) -> AbstractContextManager[Any]:
        silent = getattr(self._parallel, "no_sync", None)
        return nullcontext() if last or silent is None else silent()

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.world.device.type, dtype=torch.bfloat16, enabled=self._preset.precision == "bf16")

    def _compiled(self, network: nn.Module) -> Callable[[Tensor], Tensor]:
        return torch.compile(network, dynamic=False) if self._preset.compile else network


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
