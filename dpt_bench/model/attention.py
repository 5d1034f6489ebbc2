"""Where a token looks: attention maps of a network's transformer layers (DPT, supplement, figures A4 and A5)."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor, nn

from dpt_bench.core.errors import UsageError
from dpt_bench.model.dpt import DPT


def num_layers(model: DPT) -> int:
    """Transformer layers that the network runs.

    Raises:
        UsageError: it has none.
    """
    return len(_blocks(model))


def attention_maps(
    model: DPT, images: Tensor, layers: Sequence[int], places: Sequence[tuple[float, float]]
) -> tuple[Tensor, Tensor]:
    """The network's output, and the attention of some tokens in some layers, averaged over the heads.

    Args:
        model: in eval mode.
        images: normalised (1, 3, H, W), sides multiples of 32.
        layers: counted from 1, as the paper does.
        places: reference tokens by (x, y) of the image, each from 0 to 1.

    Returns:
        (1, H, W), and (layers, places, h, w) over the token grid. A map sums to what the readout tokens leave of 1.

    Raises:
        UsageError: the network has no such layer, or no transformer.
    """
    blocks = _blocks(model)
    for layer in layers:
        if not 1 <= layer <= len(blocks):
            raise UsageError(f"there is no layer {layer}", fix=f"this network has the layers 1 to {len(blocks)}")
    seen: dict[int, Tensor] = {}

    def remember(layer: int) -> Any:
        def hook(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            del module
            seen[layer] = inputs[0]

        return hook

    with torch.inference_mode(), ExitStack() as hooks:
        for layer in layers:
            handle = blocks[layer - 1].attn.register_forward_pre_hook(remember(layer))
            hooks.callback(handle.remove)
        output = model(images)
        grid = (images.shape[2] // 16, images.shape[3] // 16)
        maps = [_rows(blocks[layer - 1].attn, seen[layer], places, grid) for layer in layers]
    return output, torch.stack(maps)


def _rows(attention: Any, tokens: Tensor, places: Sequence[tuple[float, float]], grid: tuple[int, int]) -> Tensor:
    """Softmax(q k^T / sqrt(d)) of the reference tokens alone: (places, h, w)."""
    height, width = grid
    batch, count, _ = tokens.shape
    prefix = count - height * width
    joined = attention.qkv(tokens).reshape(batch, count, 3, attention.num_heads, -1).permute(2, 0, 3, 1, 4)
    queries, keys = attention.q_norm(joined[0]), attention.k_norm(joined[1])
    picked = [prefix + min(int(y * height), height - 1) * width + min(int(x * width), width - 1) for x, y in places]
    weights = (queries[:, :, picked] * attention.scale @ keys.transpose(-2, -1)).float().softmax(dim=-1)
    rows: Tensor = weights.mean(dim=1)[0, :, prefix:].reshape(len(places), height, width)
    return rows


def _blocks(model: DPT) -> Sequence[Any]:
    vit = getattr(model.backbone, "vit", None)
    if vit is None:
        raise UsageError(
            f"a network on {model.spec.backbone} has no attention to show", fix="give one with a vision transformer"
        )
    return list(vit.blocks)
