"""Linear layers that on AMD's cores run as 1x1 convolutions: PyTorch's own go through MKL, which is slow there."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn


class TokenLinear(nn.Linear):
    """nn.Linear, on AMD's cores with oneDNN instead of MKL where nothing is trained, exported or compiled.

    That takes half the time there; on Intel's it would take a sixth more. The numbers agree to 1e-6 of the largest.
    With a single thread PyTorch does not give 1x1 convolutions to oneDNN.
    """

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, N, inputs) -> (B, N, outputs)."""
        return linear(tokens, self.weight, self.bias)


def linear(tokens: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """As torch.nn.functional.linear, for tokens (B, N, inputs); see TokenLinear."""
    if not _pays(tokens):
        return F.linear(tokens, weight, bias)
    image_like = tokens.unsqueeze(2).permute(0, 3, 1, 2)
    return F.conv2d(image_like, weight[:, :, None, None], bias).permute(0, 2, 3, 1).squeeze(2)


def use_token_linear(module: nn.Module) -> None:
    """Make every linear layer below `module` a TokenLinear; parameters and their names stay."""
    for part in module.modules():
        if type(part) is nn.Linear:
            part.__class__ = TokenLinear


def _pays(tokens: Tensor) -> bool:
    return (
        tokens.device.type == "cpu"
        and tokens.dtype == torch.float32
        and tokens.dim() == 3
        and not torch.is_grad_enabled()
        and not torch.compiler.is_compiling()
        and not torch.is_autocast_enabled("cpu")
        and torch.get_num_threads() > 1
        and mkl_is_slow()
    )


@cache
def mkl_is_slow() -> bool:
    """Whether the processor is AMD's; asked of Linux, elsewhere PyTorch's own way is kept."""
    try:
        return "AuthenticAMD" in Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
