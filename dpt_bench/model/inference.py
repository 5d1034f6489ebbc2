"""A network as it is best run once it no longer learns: its filters standardised once."""

from __future__ import annotations

import copy
from typing import cast

import torch
from torch import nn

from dpt_bench.model.backbones.vit_base_r50 import STD_EPS, StdConv, StdPlusEpsConv
from dpt_bench.model.dpt import DPT


def for_inference(model: DPT) -> DPT:
    """A network with the same output, in eval mode.

    In hybrids, convolutions with weight standardisation become plain ones; other networks come back as they are.
    """
    if not any(isinstance(module, StdConv) for module in model.modules()):
        return model.eval()
    fixed = copy.deepcopy(model).eval()
    for parent in list(fixed.modules()):
        for name, child in parent.named_children():
            if isinstance(child, StdConv):
                setattr(parent, name, _plain(child))
    return fixed


@torch.no_grad()
def _plain(layer: StdConv) -> nn.Module:
    """The layer's filters as a forward pass would compute them, in an ordinary convolution."""
    variance, mean = torch.var_mean(layer.weight, dim=(1, 2, 3), keepdim=True, unbiased=False)
    released = isinstance(layer, StdPlusEpsConv)
    deviation = variance.sqrt() + STD_EPS if released else (variance + layer.eps).sqrt()
    assert layer.bias is None
    plain = nn.Conv2d(
        layer.in_channels,
        layer.out_channels,
        layer.kernel_size[0],
        layer.stride[0],
        padding=cast(tuple[int, int], layer.padding),
        bias=False,
        device=layer.weight.device,
        dtype=layer.weight.dtype,
    )
    plain.weight.copy_((layer.weight - mean) / deviation)
    return nn.Sequential(nn.ZeroPad2d(layer.border), plain) if any(layer.border) else plain
