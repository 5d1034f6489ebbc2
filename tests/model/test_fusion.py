from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from dpt_bench.model.fusion import Fusion, FusionBlock, ResidualUnit
from dpt_bench.model.midas import MidasFusion, MidasUnit


@pytest.mark.parametrize("fusion", [Fusion(8, batch_norm=False), Fusion(8, batch_norm=True), MidasFusion(8)])
def test_four_maps_become_one_at_half_resolution(fusion: Fusion) -> None:
    maps = [torch.randn(2, 8, 64 // s, 96 // s) for s in (4, 8, 16, 32)]
    half, quarter = fusion(maps)
    assert half.shape == (2, 8, 32, 48)
    assert quarter.shape == (2, 8, 16, 24)


def test_a_block_adds_refines_doubles_and_projects() -> None:
    block = FusionBlock(4, batch_norm=False, takes_skip=True)
    below, skip = torch.randn(1, 4, 3, 5), torch.randn(1, 4, 3, 5)
    assert block.skip_unit is not None
    refined = block.unit(below + block.skip_unit(skip))
    doubled = functional.interpolate(refined, size=(6, 10), mode="bilinear", align_corners=True)
    torch.testing.assert_close(block(below, skip), block.project(doubled))


def test_a_unit_adds_its_input() -> None:
    unit, features = ResidualUnit(4, batch_norm=False), torch.randn(1, 4, 5, 5)
    copy = features.clone()
    wanted = unit.conv2(functional.relu(unit.conv1(functional.relu(features)))) + features
    torch.testing.assert_close(unit(features), wanted)
    assert torch.equal(features, copy)


def test_a_midas_unit_adds_what_its_in_place_relu_left() -> None:
    unit, features = MidasUnit(4, batch_norm=False), torch.randn(1, 4, 5, 5)
    copy = features.clone()
    activated = functional.relu(features)
    torch.testing.assert_close(unit(features), unit.conv2(functional.relu(unit.conv1(activated))) + activated)
    assert torch.equal(features, copy)


def test_batch_norm_replaces_the_bias() -> None:
    assert ResidualUnit(4, batch_norm=False).conv1.bias is not None
    unit = ResidualUnit(4, batch_norm=True)
    assert unit.conv1.bias is None
    assert isinstance(unit.bn2, torch.nn.BatchNorm2d)
