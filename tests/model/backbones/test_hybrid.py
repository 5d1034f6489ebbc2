from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from timm.layers.std_conv import StdConv2dSame
from timm.models.resnetv2 import ResNetV2

from dpt_bench.core.errors import UsageError
from dpt_bench.model.backbones._contract import Tokens, load_backbone
from dpt_bench.model.backbones.vit_base_r50 import StdConv, StdPlusEpsConv, residual_stages
from dpt_bench.model.variants import VARIANTS


@pytest.mark.parametrize("name", ["dpt-tiny", "dpt-small"])
def test_two_maps_and_two_token_taps(name: str) -> None:
    backbone = load_backbone(VARIANTS[name])
    taps = backbone(torch.randn(2, 3, 64, 96))
    quarter, eighth, *tokens = taps
    assert quarter.shape == (2, backbone.channels[0], 16, 24)
    assert eighth.shape == (2, backbone.channels[1], 8, 12)
    for tap in tokens:
        assert isinstance(tap, Tokens)
        assert tap.grid == (4, 6)
        assert tap.values.shape == (2, 25, backbone.channels[2])
    assert VARIANTS[name].widths[:2] == backbone.channels[:2]


def test_hybrids_have_two_hooks() -> None:
    with pytest.raises(UsageError, match="2 hooks"):
        load_backbone(VARIANTS["dpt-tiny"].model_copy(update={"hooks": (0, 1, 2, 3)}))


def test_the_released_weight_standardisation_divides_by_std_plus_epsilon() -> None:
    convolution = StdPlusEpsConv(4, 8, 3, stride=2)
    images = torch.randn(1, 4, 8, 8)
    weight = convolution.weight.detach().numpy()
    mean = weight.mean(axis=(1, 2, 3), keepdims=True)
    std = weight.std(axis=(1, 2, 3), keepdims=True)
    plain = torch.nn.functional.conv2d(
        torch.nn.functional.pad(images, (0, 1, 0, 1)), torch.from_numpy((weight - mean) / (std + 1e-5)), stride=2
    )
    np.testing.assert_allclose(convolution(images).detach().numpy(), plain.numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("kernel", "stride"), [(1, 1), (1, 2), (3, 1), (3, 2), (7, 2)])
def test_padding_is_that_of_timm_where_sides_are_multiples_of_the_stride(kernel: int, stride: int) -> None:
    convolution, released = StdConv(2, 3, kernel, stride=stride), StdPlusEpsConv(2, 3, kernel, stride=stride)
    reference = StdConv2dSame(2, 3, kernel, stride=stride, eps=1e-8)
    images = torch.randn(1, 2, 8, 12)
    for one in (convolution, released):
        one.load_state_dict(reference.state_dict())
    torch.testing.assert_close(convolution(images), reference(images), rtol=0, atol=0)
    torch.testing.assert_close(released(images), reference(images), rtol=1e-3, atol=1e-3)


def test_the_residual_stages_are_those_of_timm() -> None:
    ours = residual_stages(VARIANTS["dpt-hybrid"].model_copy(update={"weight_standardization": "var_plus_eps"}),
                           layers=(1, 1, 1))  # fmt: skip
    theirs = ResNetV2(layers=(1, 1, 1), num_classes=0, global_pool="", preact=False, stem_type="same",
                      conv_layer=partial(StdConv2dSame, eps=1e-8))  # fmt: skip
    theirs.load_state_dict(ours.state_dict())
    images = torch.randn(2, 3, 64, 96)
    with torch.no_grad():
        torch.testing.assert_close(ours(images), theirs(images), rtol=0, atol=0)


@pytest.mark.slow
def test_the_spec_chooses_the_weight_standardisation_of_the_r50_hybrid() -> None:
    spec = VARIANTS["dpt-hybrid"]
    released = load_backbone(spec)
    newer = load_backbone(spec.model_copy(update={"weight_standardization": "var_plus_eps"}))
    assert isinstance(released.vit.patch_embed.backbone.stem.conv, StdPlusEpsConv)
    assert not isinstance(newer.vit.patch_embed.backbone.stem.conv, StdPlusEpsConv)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["dpt-hybrid", "dpt-deit-distilled"])
def test_weights_of_timm_fit_the_backbones_of_the_paper(name: str, tmp_path: Path) -> None:
    backbone = load_backbone(VARIANTS[name])
    donor = timm.create_model(backbone.timm_name, num_classes=0)
    torch.save(donor.state_dict(), tmp_path / "weights.pth")
    backbone.load_pretrained(tmp_path / "weights.pth")
    for key, value in backbone.vit.state_dict().items():
        assert torch.equal(value, donor.state_dict()[key]), key
