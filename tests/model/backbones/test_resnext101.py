from __future__ import annotations

from pathlib import Path

import pytest
import torch

from dpt_bench.core.errors import UsageError
from dpt_bench.model.backbones._contract import load_backbone
from dpt_bench.model.variants import VARIANTS


def test_four_maps_from_fine_to_coarse() -> None:
    with torch.device("meta"):
        backbone = load_backbone(VARIANTS["midas-v21"])
        taps = backbone(torch.empty(1, 3, 64, 96))
    assert [tuple(tap.shape[1:]) for tap in taps] == [(256, 16, 24), (512, 8, 12), (1024, 4, 6), (2048, 2, 3)]
    assert not any(backbone.holds_tokens)


def test_hooks_and_pretrained_weights_are_refused() -> None:
    with pytest.raises(UsageError, match="no hooks"):
        load_backbone(VARIANTS["midas-v21"].model_copy(update={"hooks": (1,)}))
    with torch.device("meta"):
        backbone = load_backbone(VARIANTS["midas-v21"])
    with pytest.raises(UsageError, match="released MiDaS weights"):
        backbone.load_pretrained(Path("weights.pth"))
