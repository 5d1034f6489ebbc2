"""A small residual network with three stages at 1/4, 1/8 and 1/16: the stem of hybrids that train on a CPU."""

from __future__ import annotations

from torch import Tensor, nn


class ConvStem(nn.Module):
    """`stem` brings an image to 1/4; `stages` give the maps at 1/4, 1/8 and 1/16 with the given channels.

    Fewer than 16 channels can kill the process on a CPU: in the backward pass of a strided 1x1 convolution on them,
    channels last, oneDNN writes beyond its memory (its issue 6035; seen with torch 2.14.1).

    Batch norm, because it learns faster from scratch: after 150 CPU seconds on the sample world 38 % bad pixels were
    left on average over three evaluation sets, with group norm 41 %.
    """

    def __init__(self, channels: tuple[int, int, int], depths: tuple[int, int, int]) -> None:
        super().__init__()
        first = channels[0]
        self.stem = nn.Sequential(convolution(3, first, stride=2), nn.ReLU(), convolution(first, first, stride=2))
        self.stages = nn.Sequential(
            stage(first, channels[0], stride=1, depth=depths[0]),
            stage(channels[0], channels[1], stride=2, depth=depths[1]),
            stage(channels[1], channels[2], stride=2, depth=depths[2]),
        )
        self.feature_info = [
            {"num_chs": count, "reduction": 4 * 2**i, "module": f"stages.{i}"} for i, count in enumerate(channels)
        ]

    def forward(self, images: Tensor) -> Tensor:
        """The map at 1/16; timm's HybridEmbed measures its size."""
        features: Tensor = self.stages(self.stem(images))
        return features


def stage(inputs: int, outputs: int, *, stride: int, depth: int) -> nn.Sequential:
    """`depth` residual blocks, the first with the stride."""
    first = ResidualBlock(inputs, outputs, stride=stride)
    return nn.Sequential(first, *(ResidualBlock(outputs, outputs, stride=1) for _ in range(depth - 1)))


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut (He et al., CVPR 2016, figure 2)."""

    def __init__(self, inputs: int, outputs: int, *, stride: int) -> None:
        super().__init__()
        self.conv1 = convolution(inputs, outputs, stride=stride)
        self.conv2 = convolution(outputs, outputs)
        same = inputs == outputs and stride == 1
        self.shortcut = nn.Identity() if same else convolution(inputs, outputs, kernel=1, stride=stride)
        self.act = nn.ReLU()

    def forward(self, features: Tensor) -> Tensor:
        """(B, inputs, h, w) -> (B, outputs, h / stride, w / stride)."""
        inner = self.conv2(self.act(self.conv1(features)))
        activated: Tensor = self.act(inner + self.shortcut(features))
        return activated


def convolution(inputs: int, outputs: int, *, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """A convolution without bias and its batch norm."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
    )
