"""A layout: how a file of another project names the weights of a network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor

from dpt_bench.core.kinds import DepthKind
from dpt_bench.model.build import empty_model
from dpt_bench.model.spec import ModelSpec, Readout
from dpt_bench.model.variants import VARIANTS

Weights = Mapping[str, Tensor]

RELEASED = tuple(name for name, spec in VARIANTS.items() if not spec.backbone.startswith("conv_hybrid"))
"""Variants that other projects have too; the small hybrids are ours."""

_COUNTER = "num_batches_tracked"
OUTPUT_ALONE = {"kind": DepthKind.AFFINE_DISPARITY, "scale": 1.0, "shift": 0.0, "invert": False, "input_size": None}
"""Fields that change what goes in or comes out, and no weight."""


@dataclass(frozen=True)
class Layout:
    """title: of its files, in messages. mark: what some of its keys start with.

    names: one of our keys -> its names there; of several, the tensors lie behind each other along the first dimension
    of ours. unused: whether one of its keys has no effect on the network's output, and no place in ours.
    """

    title: str
    mark: str
    names: Callable[[ModelSpec, str], tuple[str, ...]]
    unused: Callable[[ModelSpec, str], bool]

    def holds(self, content: Mapping[str, Any]) -> bool:
        """Whether the keys of a file's content look like this layout."""
        return any(isinstance(key, str) and key.startswith(self.mark) for key in content)

    def fitting_specs(self, weights: Weights, settings: Mapping[str, Any] | None = None) -> dict[str, list[ModelSpec]]:
        """Variant -> specs with keys and shapes of `weights`; two where the readout cannot be told from them.

        settings: fields of the specs that are known otherwise.
        """
        fits = {}
        for name in RELEASED:
            known = VARIANTS[name].model_copy(update=dict(settings or {}))
            candidates = self._readouts(known, weights, settings or {}) if self._may_fit(known, weights) else []
            choices = [spec for spec in candidates if not self.misfits(spec, weights)]
            if choices:
                fits[name] = choices
        return fits

    def misfits(self, spec: ModelSpec, weights: Weights) -> list[str]:
        """What keeps weights from fitting a spec: one text for each missing, misshapen or unexpected key."""
        shapes = self.shapes(spec)
        found = [f"{key} is missing" for key in shapes if key not in weights]
        for key, value in weights.items():
            if key in shapes and value.shape != shapes[key]:
                found.append(f"{key} is {tuple(value.shape)}, not {tuple(shapes[key])}")
            elif key in shapes and not (value.is_floating_point() or key.endswith(_COUNTER)):
                found.append(f"{key} is of {value.dtype}")
            elif key not in shapes and not self.unused(spec, key):
                found.append(f"{key} is unexpected")
        return found

    def shapes(self, spec: ModelSpec) -> dict[str, torch.Size]:
        """Every key of a network's file, but those without effect, with its shape."""
        return _shapes(self, spec.model_copy(update=OUTPUT_ALONE))

    def ours(self, spec: ModelSpec, weights: Weights) -> dict[str, Tensor]:
        """Weights of the layout under our names, in float32; what has no effect is left out."""
        found = {}
        for key in empty_model(spec).state_dict():
            parts = [weights[name] for name in self.names(spec, key)]
            value = parts[0] if len(parts) == 1 else torch.cat(parts)
            found[key] = value.to(torch.int64 if key.endswith(_COUNTER) else torch.float32)
        return found

    def theirs(self, spec: ModelSpec, weights: Weights) -> dict[str, Tensor]:
        """Our weights under the layout's names, each in its own memory."""
        found = {}
        for key, value in weights.items():
            names = self.names(spec, key)
            parts = value.chunk(len(names)) if value.ndim else (value,)
            for name, part in zip(names, parts, strict=True):
                found[name] = part.clone(memory_format=torch.contiguous_format)
        return found

    def _may_fit(self, spec: ModelSpec, weights: Weights) -> bool:
        """Whether a few tensors have the spec's shapes: enough to spare building most networks."""
        maps = (f"reassemble.{stage}.to_features.weight" for stage in range(4))
        wanted: dict[str, tuple[int, ...]] = {
            key: (spec.features, width) for key, width in zip(maps, spec.widths, strict=True)
        }
        wanted["head.layers.4.weight"] = (spec.num_classes or 1,)
        return all(
            name in weights and tuple(weights[name].shape[: len(sizes)]) == sizes
            for key, sizes in wanted.items()
            for name in self.names(spec, key)
        )

    def _readouts(self, spec: ModelSpec, weights: Weights, settings: Mapping[str, Any]) -> list[ModelSpec]:
        """The spec with every readout that its weights and settings allow."""
        projects = self.names(spec, "reassemble.3.read.mlp.0.weight")[0] in weights
        choices: tuple[Readout, ...] = ("project",) if projects else ("ignore", "add")
        if "readout" in settings or spec.decoder == "midas_v21":
            choices = (spec.readout,)
        return [spec.model_copy(update={"readout": choice}) for choice in choices]


def neutral(key: str, shape: torch.Size) -> Tensor:
    """A value for a tensor that is never used: zeros, and ones for variances."""
    if key.endswith(_COUNTER):
        return torch.zeros(shape, dtype=torch.int64)
    return torch.ones(shape) if key.endswith("running_var") else torch.zeros(shape)


@cache
def _shapes(layout: Layout, spec: ModelSpec) -> dict[str, torch.Size]:
    found = {}
    for key, value in empty_model(spec).state_dict().items():
        names = layout.names(spec, key)
        size = torch.Size([value.shape[0] // len(names), *value.shape[1:]]) if value.ndim else value.shape
        found.update(dict.fromkeys(names, size))
    return found
