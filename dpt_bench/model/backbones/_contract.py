"""The contract of a backbone. A module of this package holds `build(spec) -> Backbone`; its file name is its name."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from torch import Tensor, nn

from dpt_bench.core.catalog import load_plugin
from dpt_bench.core.errors import UsageError
from dpt_bench.model.spec import ModelSpec


class Tokens(NamedTuple):
    """values: (B, prefix + h * w, D), readout tokens first; grid: (h, w)."""

    values: Tensor
    grid: tuple[int, int]
    prefix: int


Tap = Tensor | Tokens


class Backbone(nn.Module):
    """Maps images (B, 3, H, W) to four taps, fine to coarse: feature maps at 1/4, 1/8, 1/16, 1/32, or tokens at 1/16.

    channels: of the four taps. holds_tokens: which of them are tokens; the others are maps at their final resolution.
    A backbone owns only parameters that reach a tap: no classifier, no norm or block behind the last hook.
    """

    channels: tuple[int, int, int, int]
    holds_tokens: tuple[bool, bool, bool, bool]

    def checkpoint_gradients(self, *, enabled: bool) -> None:
        """Keep only the input of each transformer block for the backward pass, and compute the rest again there.

        Raises:
            UsageError: this backbone has no transformer blocks.
        """
        if enabled:
            raise UsageError(
                "gradient checkpointing needs a backbone with transformer blocks",
                where=type(self).__name__,
                fix="leave gradient checkpointing off, or choose a DPT variant",
            )

    def load_pretrained(self, file: Path | None) -> None:
        """Load ImageNet weights, from the model hub when `file` is None.

        Raises:
            UsageError: this backbone has none, or the file does not fit.
            DptBenchError: the hub cannot be reached.
        """
        raise UsageError(
            "this backbone has no pretrained weights",
            where=file or type(self).__name__,
            fix="build it with pretrained=False and train it from scratch",
        )


def load_backbone(spec: ModelSpec) -> Backbone:
    """The backbone that a spec names, freshly initialised, its layer norms as the spec says.

    Raises:
        UnknownNameError: no backbone has the name.
        UsageError: the spec's hooks do not fit it.
    """
    module = load_plugin("dpt_bench.model.backbones", spec.backbone, kind="backbone")
    backbone: Backbone = module.build(spec)
    if spec.layer_norm_eps is not None:
        for layer in backbone.modules():
            if isinstance(layer, nn.LayerNorm):
                layer.eps = spec.layer_norm_eps
    return backbone
