"""Reassemble: from tokens of one transformer layer to an image-like map at one resolution (DPT, sec. 3, eqs. 1-6)."""

from __future__ import annotations

from torch import Tensor, nn

from dpt_bench.model.backbones._contract import Tap, Tokens
from dpt_bench.model.linear import linear
from dpt_bench.model.spec import Readout


class Reassemble(nn.Module):
    """Read, Concatenate and Resample of one stage, then the 3x3 convolution to the fusion blocks' `features`.

    stage: 0 to 3, for 1/4, 1/8, 1/16, 1/32 of the image. Resampling follows the released checkpoints: a 1x1
        convolution to `width`, then a transposed one with kernel = stride (the paper says 3x3), nothing at 1/16, or a
        strided 3x3.
    """

    def __init__(self, stage: int, *, channels: int, width: int, features: int, readout: Readout) -> None:
        super().__init__()
        self.read = Read(readout, channels)
        self.project = nn.Conv2d(channels, width, 1)
        self.resample = _resample(stage, width)
        self.to_features = nn.Conv2d(width, features, 3, padding=1, bias=False)

    def forward(self, tap: Tokens) -> Tensor:
        """Tokens of a layer -> (B, features, H / s, W / s)."""
        image_like = concatenate(self.read(tap), tap.grid)
        mapped: Tensor = self.to_features(self.resample(self.project(image_like)))
        return mapped


class FromMap(nn.Module):
    """The stand-in for taps that are maps already: only the 3x3 convolution to `features`."""

    def __init__(self, *, width: int, features: int) -> None:
        super().__init__()
        self.to_features = nn.Conv2d(width, features, 3, padding=1, bias=False)

    def forward(self, tap: Tap) -> Tensor:
        """(B, width, h, w) -> (B, features, h, w)."""
        assert isinstance(tap, Tensor)
        mapped: Tensor = self.to_features(tap)
        return mapped


class Read(nn.Module):
    """What becomes of the readout token: `ignore` (eq. 2), `add` (eq. 3) or `project` (eq. 4).

    With two readout tokens (distilled DeiT) the released code adds their mean, and projects the first alone.
    """

    def __init__(self, readout: Readout, channels: int) -> None:
        super().__init__()
        self.readout = readout
        self.mlp = nn.Sequential(nn.Linear(2 * channels, channels), nn.GELU()) if readout == "project" else None

    def forward(self, tap: Tokens) -> Tensor:
        """(B, prefix + N, D) -> (B, N, D)."""
        patches = tap.values[:, tap.prefix :]
        if self.readout == "add":
            return patches + tap.values[:, : tap.prefix].mean(dim=1, keepdim=True)
        if self.mlp is not None:
            # The linear layer on [patch, readout] is the sum of one on each, and the readout's is the same everywhere.
            joint, gelu = self.mlp[0], self.mlp[1]
            assert isinstance(joint, nn.Linear)
            of_patch, of_readout = joint.weight.chunk(2, dim=1)
            readout = linear(tap.values[:, :1], of_readout, joint.bias)
            projected: Tensor = gelu(linear(patches, of_patch, None) + readout)
            return projected
        return patches


def concatenate(tokens: Tensor, grid: tuple[int, int]) -> Tensor:
    """Tokens (B, h * w, D) at their places in the image (eq. 5): (B, D, h, w), channels last in memory.

    Convolutions keep that layout through the whole decoder, where it is a third faster on CPUs. (A transposed and
    reshaped batch of one has the same elements in the same places, but strides that convolutions do not recognise.)
    """
    return tokens.reshape(tokens.shape[0], *grid, tokens.shape[2]).permute(0, 3, 1, 2)


def _resample(stage: int, width: int) -> nn.Module:
    if stage == 2:
        return nn.Identity()
    if stage == 3:
        return nn.Conv2d(width, width, 3, stride=2, padding=1)
    stride = 4 if stage == 0 else 2
    return nn.ConvTranspose2d(width, width, stride, stride=stride)
