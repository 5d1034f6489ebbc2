"""A run in words before it starts: what it trains, on what, for how long, and the memory it will take."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, UntypedStorage, nn
from torch._subclasses.fake_tensor import FakeTensorMode

from dpt_bench.loading import Loader
from dpt_bench.model.build import empty_model
from dpt_bench.model.spec import ModelSpec
from dpt_bench.training.config import Preset
from dpt_bench.training.learner import DTYPES
from dpt_bench.training.selection import Selection

EPOCH = 72_000
GIB = 2**30


@dataclass(frozen=True)
class Memory:
    """Bytes of one process.

    states: weights, gradients, optimiser, moving average. activations: what backward needs of its part of a batch.
    """

    states: int
    activations: int


def describe_plan(preset: Preset, selection: Selection, loader: Loader, num_ranks: int) -> str:
    """Lines of text."""
    total, images = preset.total_steps, preset.total_steps * preset.batch_size
    spec = preset.model.resolved(preset.crop)
    memory = estimate_memory(preset, spec, num_ranks)
    parameters = sum(parameter.numel() for parameter in empty_model(spec).parameters())
    shares = zip(loader.mixture.datasets, loader.mixture.probabilities, strict=True)
    return "\n".join(
        [
            f"preset       {preset.name}: {preset.title}",
            f"network      {preset.model.variant}, {parameters / 1e6:.1f} M parameters, {preset.precision}",
            f"trained on   {selection.described}",
            *(
                f"             {name}: {loader.sizes[name]:,} samples, {share:.1%} of the draws, "
                f"{images * share / loader.sizes[name]:.1f} passes"
                for name, share in shares
            ),
            f"length       {total:,} steps of {preset.batch_size} = {images:,} images of {preset.crop} x {preset.crop}",
            f"             {total / EPOCH:.3g} epochs of {EPOCH:,} steps (DPT), or "
            f"{images / EPOCH:.3g} of {EPOCH:,} images (MiDaS)",
            f"memory       about {(memory.states + memory.activations) / GIB:.1f} GiB a process: "
            f"{memory.states / GIB:.1f} for weights and optimiser, {memory.activations / GIB:.1f} for activations",
            f"processes    {num_ranks}, each with {preset.data.workers} that prepare batches",
        ]
    )


def estimate_memory(preset: Preset, spec: ModelSpec, num_ranks: int) -> Memory:
    """Counted on tensors without values: the parameters, and what backward passes of one and two images keep."""
    model = empty_model(spec).to(DTYPES[preset.precision]).train()
    size = sum(parameter.nbytes for parameter in model.parameters())
    with FakeTensorMode(allow_non_fake_inputs=True):
        fake = model.to_empty(device="cpu")
        one, two = (_kept_for_backward(fake, preset, num_images) for num_images in (1, 2))
    images = -(-preset.batch_size // (num_ranks * preset.accumulate))
    copies = 4 + (preset.ema is not None)  # weights, gradients, Adam's two moments, the moving average
    return Memory(copies * size, one + (images - 1) * (two - one))


def _kept_for_backward(model: nn.Module, preset: Preset, num_images: int) -> int:
    """Bytes of the tensors that a forward pass saves, without the parameters."""
    kept: dict[int, UntypedStorage] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage._cdata] = storage
        return tensor

    images = torch.empty(num_images, 3, preset.crop, preset.crop, dtype=DTYPES[preset.precision])
    low = torch.autocast("cpu", torch.bfloat16, enabled=preset.precision == "bf16")
    with low, torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        model(images)
    held = {parameter.untyped_storage()._cdata for parameter in model.parameters()}
    return sum(kept[key].nbytes() for key in kept.keys() - held)
