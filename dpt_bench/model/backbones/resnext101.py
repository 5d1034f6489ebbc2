"""ResNeXt-101 32x8d (Xie et al., CVPR 2017), the encoder of MiDaS v2.1: maps at 1/4, 1/8, 1/16 and 1/32."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor, nn
from torchvision.models import ResNet, resnext101_32x8d

from dpt_bench.core.errors import UsageError
from dpt_bench.model.backbones._contract import Backbone, Tap
from dpt_bench.model.spec import ModelSpec


def build(spec: ModelSpec) -> ResNetBackbone:
    if spec.hooks:
        raise UsageError("a convolutional backbone has no hooks", where=f"hooks = {spec.hooks}", fix="leave them out")
    return ResNetBackbone(resnext101_32x8d())


class ResNetBackbone(Backbone):
    """The four stages of a torchvision ResNet, the stem within the first."""

    channels = (256, 512, 1024, 2048)
    holds_tokens = (False, False, False, False)

    def __init__(self, resnet: ResNet) -> None:
        super().__init__()
        stem = (resnet.conv1, resnet.bn1, resnet.relu, resnet.maxpool)
        self.network = nn.ModuleDict(
            {
                "layer1": nn.Sequential(*stem, resnet.layer1),
                "layer2": resnet.layer2,
                "layer3": resnet.layer3,
                "layer4": resnet.layer4,
            }
        )

    def forward(self, images: Tensor) -> tuple[Tap, ...]:
        """Maps after each stage."""
        maps = []
        for stage in self.network.values():
            images = stage(images)
            maps.append(images)
        return tuple(maps)

    def load_pretrained(self, file: Path | None) -> None:
        raise UsageError(
            "the ResNeXt encoder comes only with the released MiDaS weights",
            where=file,
            fix='load them with load_model("midas_v21-....pt")',
        )
