"""Hybrids: convolutional stages at 1/4, 1/8 and 1/16, and a vision transformer on the last of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from timm.layers.hybrid_embed import HybridEmbed
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn

from dpt_bench.model.backbones._contract import Backbone, Tap
from dpt_bench.model.backbones._pretrained import load_timm_weights
from dpt_bench.model.backbones._vit import checked_hooks, token_taps, trunk


class HybridBackbone(Backbone):
    """The two finest taps are the maps of the first two convolutional stages, the two coarsest are tokens.

    Ranftl et al., ICCV 2021, sec. 3: "We use features from the first and second ResNet block [...] and stages 9, 12".
    The stages are a module with a `stem` and three `stages`, as timm's ResNetV2 is.
    """

    def __init__(self, vit: VisionTransformer, hooks: Sequence[int], *, timm_name: str | None = None) -> None:
        super().__init__()
        self.hooks = checked_hooks(hooks, 2, len(vit.blocks))
        self.vit = trunk(vit, self.hooks)
        self.timm_name = timm_name
        fine, middle = (info["num_chs"] for info in vit.patch_embed.backbone.feature_info[-3:-1])
        self.channels = (fine, middle, vit.embed_dim, vit.embed_dim)
        self.holds_tokens = (False, False, True, True)

    def forward(self, images: Tensor) -> tuple[Tap, ...]:
        """Maps at 1/4 and 1/8, then the tokens after each hooked block."""
        convolutions = self.vit.patch_embed.backbone
        quarter = convolutions.stages[0](convolutions.stem(images))
        eighth = convolutions.stages[1](quarter)
        sixteenth = convolutions.stages[2](eighth)
        return (quarter, eighth, *token_taps(self.vit, self.vit.patch_embed.proj(sixteenth), self.hooks))

    def checkpoint_gradients(self, *, enabled: bool) -> None:
        self.vit.set_grad_checkpointing(enabled)

    def load_pretrained(self, file: Path | None) -> None:
        if self.timm_name is None:
            return super().load_pretrained(file)
        return load_timm_weights(self.vit, self.timm_name, file)


def transformer_on(
    convolutions: nn.Module, *, train_size: int, width: int, depth: int, heads: int
) -> VisionTransformer:
    """Timm's vision transformer whose patches are the pixels of the last convolutional stage."""
    return VisionTransformer(
        img_size=train_size,
        patch_size=1,
        embed_dim=width,
        depth=depth,
        num_heads=heads,
        num_classes=0,
        embed_layer=partial(HybridEmbed, backbone=convolutions),
    )
