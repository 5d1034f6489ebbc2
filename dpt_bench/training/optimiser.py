"""Adam over two groups of parameters, and the rates of every step as a function of the step alone."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import nn

from dpt_bench.model.dpt import DPT
from dpt_bench.training.choices import OptimiserChoice

POLY_POWER = 0.9


def build_optimiser(model: DPT, choice: OptimiserChoice) -> torch.optim.Optimizer:
    """Adam or AdamW; groups are named "backbone" and "decoder", weights before norms and biases."""
    groups = [
        *_groups("backbone", model.backbone_parameters(), choice.lr_backbone, choice.weight_decay),
        *_groups("decoder", model.decoder_parameters(), choice.lr_decoder, choice.weight_decay),
    ]
    kind = torch.optim.AdamW if choice.name == "adamw" else torch.optim.Adam
    return kind(groups, betas=choice.betas, fused=True)


def set_rates(optimiser: torch.optim.Optimizer, choice: OptimiserChoice, step: int, total: int) -> None:
    """Give every group its rate for `step` of `total`, counted from 0."""
    factor = rate_factor(choice, step, total)
    for group in optimiser.param_groups:
        group["lr"] = factor * (choice.lr_backbone if group["name"] == "backbone" else choice.lr_decoder)


def load_moments(optimiser: torch.optim.Optimizer, state: Mapping[str, Any]) -> None:
    """Take over what a saved optimiser knows of the parameters; betas and weight decay stay those of the preset."""
    chosen = [{key: value for key, value in group.items() if key != "params"} for group in optimiser.param_groups]
    optimiser.load_state_dict(dict(state))
    for group, values in zip(optimiser.param_groups, chosen, strict=True):
        group.update(values)


def rate_factor(choice: OptimiserChoice, step: int, total: int) -> float:
    """Share of the full rate at `step`: a linear warm-up, then the schedule over the remaining steps."""
    if step < choice.warmup:
        return (step + 1) / choice.warmup
    progress = (step - choice.warmup) / max(1, total - choice.warmup)
    if choice.schedule == "cosine":
        return choice.final + (1.0 - choice.final) * 0.5 * (1.0 + math.cos(math.pi * progress))
    if choice.schedule == "poly":
        return float((1.0 - progress) ** POLY_POWER)
    return 1.0


def _groups(name: str, parameters: Iterable[nn.Parameter], rate: float, decay: float) -> list[dict[str, object]]:
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    parts = (
        ([parameter for parameter in trained if parameter.ndim >= 2], decay),
        ([parameter for parameter in trained if parameter.ndim < 2], 0.0),
    )
    return [{"name": name, "params": part, "lr": rate, "weight_decay": weight} for part, weight in parts if part]
