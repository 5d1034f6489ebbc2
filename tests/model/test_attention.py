"""Attention maps, compared with what scaled dot-product attention computes from the same weights."""

from __future__ import annotations

import pytest
import torch

from dpt_bench.core.errors import UsageError
from dpt_bench.model import VARIANTS, build_model
from dpt_bench.model.attention import attention_maps, num_layers

PLACES = [(0.0, 0.0), (1.0, 1.0), (0.5, 0.3)]


@pytest.mark.parametrize("variant", ["dpt-tiny", "dpt-small"])
def test_maps_are_the_networks_own_attention(variant: str) -> None:
    torch.manual_seed(0)
    model = build_model(VARIANTS[variant]).eval()
    images = torch.randn(1, 3, 64, 96)
    layers = [1, num_layers(model)]
    output, maps = attention_maps(model, images, layers, PLACES)
    assert maps.shape == (2, 3, 4, 6)
    with torch.inference_mode():
        torch.testing.assert_close(output, model(images))
    assert (maps > 0).all()
    assert (maps.sum(dim=(2, 3)) < 1).all(), "the readout token gets its share"
    torch.testing.assert_close(maps, torch.stack([expected(model, images, layer) for layer in layers]))
    assert not model.backbone.vit.blocks[0].attn._forward_pre_hooks


def expected(model: torch.nn.Module, images: torch.Tensor, layer: int) -> torch.Tensor:
    """With the identity as values, attention returns its own weights."""
    attention, seen = model.backbone.vit.blocks[layer - 1].attn, []
    handle = attention.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    with torch.inference_mode():
        model(images)
        handle.remove()
        tokens = seen[0]
        count = tokens.shape[1]
        query, key, _ = attention.qkv(tokens).reshape(1, count, 3, attention.num_heads, -1).permute(2, 0, 3, 1, 4)
        identity = torch.eye(count).expand(1, attention.num_heads, count, count)
        weights = torch.nn.functional.scaled_dot_product_attention(query, key, identity).mean(dim=1)[0]
    rows = [1 + 4 * 6 - 1 if place == (1.0, 1.0) else 1 if place == (0.0, 0.0) else 1 + 1 * 6 + 3 for place in PLACES]
    return weights[rows, 1:].reshape(3, 4, 6)


def test_what_has_no_such_attention() -> None:
    model = build_model(VARIANTS["dpt-tiny"]).eval()
    with pytest.raises(UsageError, match="there is no layer 3"):
        attention_maps(model, torch.zeros(1, 3, 64, 64), [3], PLACES)
    with torch.device("meta"):
        midas = build_model(VARIANTS["midas-v21"])
    with pytest.raises(UsageError, match="no attention to show"):
        num_layers(midas)


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["dpt-base", "dpt-hybrid", *(name for name in VARIANTS if "distilled" in name)])
def test_the_large_networks(variant: str) -> None:
    torch.manual_seed(0)
    model = build_model(VARIANTS[variant]).eval()
    _, maps = attention_maps(model, torch.randn(1, 3, 64, 96), [3, 12], PLACES)
    assert maps.shape == (2, 3, 4, 6)
    assert (maps.sum(dim=(2, 3)) < 1).all()
