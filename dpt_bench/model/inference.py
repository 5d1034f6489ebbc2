"""A network as it is best run once it no longer learns: filters standardised once, padding known beforehand."""

from __future__ import annotations

import copy

import torch
from timm.layers.helpers import to_2tuple
from timm.layers.pool2d_same import MaxPool2dSame
from timm.layers.std_conv import StdConv2dSame
from torch import nn

from dpt_bench.model.backbones.vit_base_r50 import STD_EPS, StdPlusEpsConv
from dpt_bench.model.dpt import DPT


def for_inference(model: DPT) -> DPT:
    """A network with the same output, in eval mode, for images whose sides are multiples of 32.

    In hybrids, convolutions with weight standardisation become plain ones; other networks come back as they are.
    """
    if not any(isinstance(module, StdConv2dSame) for module in model.modules()):
        return model.eval()
    fixed = copy.deepcopy(model).eval()
    for parent in list(fixed.modules()):
        for name, child in parent.named_children():
            if isinstance(child, StdConv2dSame):
                setattr(parent, name, _plain(child))
            elif isinstance(child, MaxPool2dSame):
                setattr(parent, name, _padded_pool(child))
    return fixed


@torch.no_grad()
def _plain(layer: StdConv2dSame) -> nn.Module:
    """The layer's filters as a forward pass would compute them, in a convolution that pads by constants."""
    variance, mean = torch.var_mean(layer.weight, dim=(1, 2, 3), keepdim=True, unbiased=False)
    released = isinstance(layer, StdPlusEpsConv)
    deviation = variance.sqrt() + STD_EPS if released else (variance + layer.eps).sqrt()
    assert layer.bias is None
    before, after = _same_padding(layer.kernel_size[0], layer.stride[0])
    even = before == after
    plain = nn.Conv2d(
        layer.in_channels,
        layer.out_channels,
        layer.kernel_size[0],
        layer.stride[0],
        padding=before if even else 0,
        bias=False,
        device=layer.weight.device,
        dtype=layer.weight.dtype,
    )
    plain.weight.copy_((layer.weight - mean) / deviation)
    return plain if even else nn.Sequential(nn.ZeroPad2d((before, after, before, after)), plain)


def _padded_pool(layer: MaxPool2dSame) -> nn.Module:
    (kernel, _), (stride, _) = to_2tuple(layer.kernel_size), to_2tuple(layer.stride)
    pad = nn.ConstantPad2d(_same_padding(kernel, stride) * 2, -float("inf"))
    return nn.Sequential(pad, nn.MaxPool2d(kernel, stride))


def _same_padding(kernel: int, stride: int) -> tuple[int, int]:
    """TensorFlow's SAME padding before and after, where the side is a multiple of the stride."""
    total = max(kernel - stride, 0)
    return total // 2, total - total // 2
