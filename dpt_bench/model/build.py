"""From a spec to a network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from dpt_bench.model.dpt import DPT
from dpt_bench.model.midas import MidasNet
from dpt_bench.model.spec import ModelSpec


def build_model(spec: ModelSpec, *, pretrained: bool | Path = False) -> DPT:
    """A network in training mode, its decoder initialised at random.

    Args:
        spec: what to build; `VARIANTS` has those with a name.
        pretrained: True fetches the backbone's ImageNet weights through timm; a path reads them from a local file.

    Raises:
        UnknownNameError, UsageError: the spec names no backbone or unfitting hooks; the file does not fit.
        DptBenchError: the hub cannot be reached.
    """
    model = _network(spec)
    if pretrained is not False:
        model.backbone.load_pretrained(pretrained if isinstance(pretrained, Path) else None)
    return model


def empty_model(spec: ModelSpec) -> DPT:
    """A network whose parameters have shapes but no values or memory; see `filled_model`."""
    with torch.device("meta"):
        return _network(spec)


def filled_model(spec: ModelSpec, weights: Mapping[str, Tensor]) -> DPT:
    """A network that holds `weights` (our keys), in eval mode; no time is lost on initial values."""
    model = empty_model(spec)
    model.load_state_dict(weights, assign=True)
    return model.eval()


def _network(spec: ModelSpec) -> DPT:
    return MidasNet(spec) if spec.decoder == "midas_v21" else DPT(spec)
