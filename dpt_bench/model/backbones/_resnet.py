"""Residual networks of timm as backbones: maps at 1/4, 1/8, 1/16 and 1/32 of the image."""

from __future__ import annotations

from pathlib import Path

import timm
from timm.models.resnet import ResNet
from torch import Tensor, nn

from dpt_bench.core.errors import UsageError
from dpt_bench.model.backbones._contract import Backbone, Tap
from dpt_bench.model.backbones._pretrained import timm_donor
from dpt_bench.model.spec import ModelSpec


class ResNetBackbone(Backbone):
    """The four stages of a ResNet with bottlenecks, the stem within the first."""

    channels = (256, 512, 1024, 2048)
    holds_tokens = (False, False, False, False)

    def __init__(self, spec: ModelSpec, *, timm_name: str) -> None:
        super().__init__()
        if spec.hooks:
            raise UsageError(
                "a convolutional backbone has no hooks", where=f"hooks = {spec.hooks}", fix="leave them out"
            )
        self.timm_name = timm_name
        resnet = timm.create_model(timm_name, num_classes=0)
        assert isinstance(resnet, ResNet)
        self.network = stages(resnet)

    def forward(self, images: Tensor) -> tuple[Tap, ...]:
        """Maps after each stage."""
        maps = []
        for stage in self.network.values():
            images = stage(images)
            maps.append(images)
        return tuple(maps)

    def load_pretrained(self, file: Path | None) -> None:
        donor = timm_donor(self.timm_name, file)
        assert isinstance(donor, ResNet)
        self.network.load_state_dict(stages(donor).state_dict())


def stages(resnet: ResNet) -> nn.ModuleDict:
    """The parts of a ResNet under the names of the released MiDaS files."""
    stem = [resnet.get_submodule(name) for name in ("conv1", "bn1", "act1", "maxpool", "layer1")]
    rest = {name: resnet.get_submodule(name) for name in ("layer2", "layer3", "layer4")}
    return nn.ModuleDict({"layer1": nn.Sequential(*stem), **rest})
