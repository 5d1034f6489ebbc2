"""Vision transformers of timm as backbones: embedding with a resized position embedding, blocks, taps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import timm
import torch
import torch.nn.functional as F  # noqa: N812
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from dpt_bench.core.errors import UsageError
from dpt_bench.model.backbones._contract import Backbone, Tokens
from dpt_bench.model.backbones._pretrained import load_timm_weights
from dpt_bench.model.linear import use_token_linear


class ViTBackbone(Backbone):
    """A plain vision transformer: four token taps, all at 1/16."""

    def __init__(self, vit: VisionTransformer, hooks: Sequence[int], *, timm_name: str) -> None:
        super().__init__()
        self.hooks = checked_hooks(hooks, 4, len(vit.blocks))
        self.vit = trunk(vit, self.hooks)
        self.timm_name = timm_name
        width = vit.embed_dim
        self.channels = (width, width, width, width)
        self.holds_tokens = (True, True, True, True)

    def forward(self, images: Tensor) -> tuple[Tokens, ...]:
        """Tokens after each hooked block, before any final norm."""
        return token_taps(self.vit, self.vit.patch_embed.proj(images), self.hooks)

    def checkpoint_gradients(self, *, enabled: bool) -> None:
        self.vit.set_grad_checkpointing(enabled)

    def load_pretrained(self, file: Path | None) -> None:
        load_timm_weights(self.vit, self.timm_name, file)


def timm_vit(name: str) -> VisionTransformer:
    """Timm's model without its classifier, freshly initialised."""
    model = timm.create_model(name, num_classes=0)
    assert isinstance(model, VisionTransformer)
    return model


def checked_hooks(hooks: Sequence[int], count: int, depth: int) -> tuple[int, ...]:
    """`hooks`, if there are `count` of them and the transformer is deep enough."""
    if len(hooks) != count or not all(0 <= hook < depth for hook in hooks):
        raise UsageError(
            f"this backbone needs {count} hooks between 0 and {depth - 1}",
            where=f"hooks = {tuple(hooks)}",
            fix="name the 0-based blocks whose output is reassembled",
        )
    return tuple(hooks)


def trunk(vit: VisionTransformer, hooks: Sequence[int]) -> VisionTransformer:
    """`vit` without what lies behind the last hook: it would get no gradient, which stops distributed training."""
    vit.blocks = vit.blocks[: hooks[-1] + 1]
    for name in ("norm", "fc_norm", "head", "head_dist", "pre_logits"):
        if hasattr(vit, name):
            setattr(vit, name, nn.Identity())
    use_token_linear(vit.blocks)
    return vit


def token_taps(vit: VisionTransformer, patches: Tensor, hooks: Sequence[int]) -> tuple[Tokens, ...]:
    """Run the transformer over embedded patches (B, D, h, w); the tokens after each hooked block."""
    grid = (patches.shape[2], patches.shape[3])
    readout = [token for token in (vit.cls_token, getattr(vit, "dist_token", None)) if token is not None]
    prefix = len(readout)
    tokens = patches.flatten(2).transpose(1, 2)
    tokens = torch.cat([*(token.expand(tokens.shape[0], -1, -1) for token in readout), tokens], dim=1)
    assert vit.pos_embed is not None
    tokens = vit.pos_drop(tokens + resize_position_embedding(vit.pos_embed, grid, prefix))
    taps = []
    for index, block in enumerate(vit.blocks):
        tokens = checkpoint(block, tokens, use_reentrant=False) if vit.grad_checkpointing else block(tokens)
        if index in hooks:
            taps.append(Tokens(tokens, grid, prefix))
    return tuple(taps)


def resize_position_embedding(embedding: Tensor, grid: tuple[int, int], prefix: int) -> Tensor:
    """Position embedding (1, prefix + n * n, D) for another token grid: (1, prefix + h * w, D).

    The readout tokens' part is kept, the square rest is interpolated bilinearly (Ranftl et al., ICCV 2021, sec. 3,
    "Handling varying image sizes"), with align_corners=False and no antialiasing, as the released checkpoints expect.
    """
    kept, square = embedding[:, :prefix], embedding[:, prefix:]
    side = round(square.shape[1] ** 0.5)
    plane = square.reshape(1, side, side, -1).permute(0, 3, 1, 2)
    resized = F.interpolate(plane, size=grid, mode="bilinear", align_corners=False)
    return torch.cat([kept, resized.flatten(2).transpose(1, 2)], dim=1)
