from __future__ import annotations

from pathlib import Path

import pytest
import timm
import torch

from dpt_bench.core.errors import UsageError
from dpt_bench.model.backbones._contract import load_backbone
from dpt_bench.model.variants import VARIANTS

NAMES = ("midas-v21", "midas-v21-resnet50")


@pytest.mark.parametrize("name", NAMES)
def test_four_maps_from_fine_to_coarse(name: str) -> None:
    with torch.device("meta"):
        backbone = load_backbone(VARIANTS[name])
        taps = backbone(torch.empty(1, 3, 64, 96))
    assert [tuple(tap.shape[1:]) for tap in taps] == [(256, 16, 24), (512, 8, 12), (1024, 4, 6), (2048, 2, 3)]
    assert not any(backbone.holds_tokens)


def test_hooks_are_refused() -> None:
    with pytest.raises(UsageError, match="no hooks"):
        load_backbone(VARIANTS["midas-v21"].model_copy(update={"hooks": (1,)}))


def test_gradient_checkpointing_is_refused_where_there_are_no_blocks() -> None:
    with torch.device("meta"):
        backbone = load_backbone(VARIANTS["midas-v21"])
    backbone.checkpoint_gradients(enabled=False)
    with pytest.raises(UsageError, match="transformer blocks"):
        backbone.checkpoint_gradients(enabled=True)


def test_weights_of_timm_fit(tmp_path: Path) -> None:
    donor = timm.create_model("resnet50", num_classes=1000)
    torch.save(donor.state_dict(), tmp_path / "resnet50.pth")
    backbone = load_backbone(VARIANTS["midas-v21-resnet50"])
    backbone.load_pretrained(tmp_path / "resnet50.pth")
    assert torch.equal(backbone.network["layer1"][0].weight, donor.conv1.weight)
    assert torch.equal(backbone.network["layer4"][2].conv3.weight, donor.layer4[2].conv3.weight)


def test_a_file_that_lacks_weights_is_refused(tmp_path: Path) -> None:
    weights = timm.create_model("resnet50").state_dict()
    del weights["layer3.1.bn2.bias"]
    torch.save({"state_dict": weights}, tmp_path / "resnet50.pth")
    with pytest.raises(UsageError, match=r"1 of 265 are missing, as layer3\.1\.bn2\.bias"):
        load_backbone(VARIANTS["midas-v21-resnet50"]).load_pretrained(tmp_path / "resnet50.pth")
