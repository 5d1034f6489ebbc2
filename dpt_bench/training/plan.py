"""A run in words before it starts: what it trains, on what, for how long, and the memory it will take."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, UntypedStorage, nn
from torch._subclasses.fake_tensor import FakeTensorMode

from dpt_bench.model.build import empty_model
from dpt_bench.model.spec import ModelSpec
from dpt_bench.training.config import Preset
from dpt_bench.training.flops import flops_per_image
from dpt_bench.training.learner import DTYPES
from dpt_bench.training.stages import Stage, StagedLoader

GIB = 2**30
LINE = 80


@dataclass(frozen=True)
class Memory:
    """Bytes of one process.

    states: weights, gradients, optimiser, moving average, and the gradients of the datasets for multiple-gradient
    descent. activations: what backward needs of its part of a batch.
    """

    states: int
    activations: int


def describe_plan(preset: Preset, loader: StagedLoader, num_ranks: int) -> str:
    """Lines of text."""
    spec = preset.model.resolved(preset.crop)
    datasets = len(loader.selection().names)
    memory = estimate_memory(preset, spec, num_ranks, datasets)
    parameters = sum(parameter.numel() for parameter in empty_model(spec).parameters())
    return "\n".join(
        [
            *textwrap.wrap(f"preset       {preset.name}: {preset.title}", LINE, subsequent_indent=" " * 13),
            f"network      {preset.model.variant}, {parameters / 1e6:.1f} M parameters, {preset.precision}",
            *textwrap.wrap(f"trained on   {loader.selection().described}", LINE, subsequent_indent=" " * 13),
            f"mixing       {_mixing(preset)}",
            *(line for stage in loader.stages for line in _stage(preset, stage)),
            f"length       {_length(preset, preset.total_steps)} of {preset.crop} x {preset.crop}",
            *_readings(preset),
            f"arithmetic   {flops_per_image(spec, preset.crop) / 1e9:,.0f} GFLOP an image, forward and backward",
            f"memory       about {(memory.states + memory.activations) / GIB:.1f} GiB a process: "
            f"{memory.states / GIB:.1f} for weights and optimiser,",
            f"             {memory.activations / GIB:.1f} for activations",
            f"processes    {num_ranks}, each with {preset.data.workers} that prepare batches",
        ]
    )


def _mixing(preset: Preset) -> str:
    choice = preset.multi_objective
    if choice.method == "uniform":
        return "all images counting the same"
    often = "in every step" if choice.every == 1 else f"once in {choice.every} steps"
    return f"multiple-gradient descent, solved {often} on {', '.join(choice.parameters or ['all parameters'])}"


def _stage(preset: Preset, stage: Stage) -> list[str]:
    images = (stage.end - stage.first) * preset.batch_size
    mixture, sizes = stage.loader.mixture, stage.loader.sizes
    shares = zip(mixture.datasets, mixture.probabilities, strict=True)
    head = [] if stage.name is None else [f"stage        {stage.name}: {_length(preset, stage.end - stage.first)}"]
    return head + [
        f"             {name}: {sizes[name]:,} samples, {share:.1%} of the draws, "
        f"{images * share / sizes[name]:.1f} passes"
        for name, share in shares
    ]


def _length(preset: Preset, steps: int) -> str:
    return f"{steps:,} steps of {preset.batch_size} = {steps * preset.batch_size:,} images"


def _readings(preset: Preset) -> list[str]:
    """What the run's epochs cost as DPT states them and as MiDaS does; the two differ by the batch size."""
    epochs = preset.num_epochs
    if epochs is None:
        return []
    lines = []
    readings: tuple[tuple[Literal["steps", "images"], str], ...] = (("steps", "DPT"), ("images", "MiDaS"))
    for unit, paper in readings:
        steps = preset.steps_of(epochs, unit)
        days = steps * preset.batch_size / 100 / 86400
        chosen = "chosen" if unit == preset.epoch_unit else f"--set epoch_unit={unit}"
        lines += [
            f"             {epochs} epochs of {preset.epoch_size:,} {unit} ({paper}), {chosen}:",
            f"               {steps:,} steps, {steps * preset.batch_size:,} images, {days:,.1f} days at 100 images/s",
        ]
    return lines


def estimate_memory(preset: Preset, spec: ModelSpec, num_ranks: int, num_datasets: int) -> Memory:
    """Counted on tensors without values: the parameters, and what backward passes of two and three images keep."""
    model = empty_model(spec).to(DTYPES[preset.precision]).train()
    model.checkpoint_gradients(enabled=preset.gradient_checkpointing)
    size = sum(parameter.nbytes for parameter in model.parameters())
    with FakeTensorMode(allow_non_fake_inputs=True):
        fake = model.to_empty(device="cpu")
        two, three = (_kept_for_backward(fake, preset, num_images) for num_images in (2, 3))  # batch norm refuses one
    images = -(-preset.batch_size // (num_ranks * preset.accumulate))
    copies = 4.0 + (preset.ema is not None)  # weights, gradients, Adam's two moments, the moving average
    if preset.multi_objective.method == "mgda" and preset.multi_objective.parameters is None:
        copies += num_datasets / num_ranks + 2  # a slice of every dataset's gradient, and those under way
    return Memory(int(copies * size), two + (images - 2) * (three - two))


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
