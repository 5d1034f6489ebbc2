"""config.json and preprocessor_config.json of a network for transformers."""

from __future__ import annotations

import math
from typing import Any

from dpt_bench.model.dpt import DPT

_AUXILIARY_WEIGHT = 0.2
_BICUBIC = 3


def transformer(model: DPT) -> Any:
    """The network's vision transformer, of timm."""
    return model.backbone.vit


def config(model: DPT) -> dict[str, Any]:
    """What transformers' DPTConfig needs to build the same network."""
    spec, vit = model.spec, transformer(model)
    hybrid = len(spec.hooks) == 2
    segmentation = spec.head == "segmentation"
    return {
        "architectures": ["DPTForSemanticSegmentation" if segmentation else "DPTForDepthEstimation"],
        "model_type": "dpt",
        "dtype": "float32",
        "hidden_size": vit.embed_dim,
        "num_hidden_layers": len(vit.blocks),
        "num_attention_heads": vit.blocks[0].attn.num_heads,
        "intermediate_size": vit.blocks[0].mlp.fc1.out_features,
        "hidden_act": "gelu",
        "qkv_bias": True,
        "layer_norm_eps": vit.blocks[0].norm1.eps,
        "image_size": _position_side(model),
        "patch_size": 16,
        "num_channels": 3,
        "backbone_out_indices": [0, 1, *spec.hooks] if hybrid else list(spec.hooks),
        "readout_type": spec.readout,
        "reassemble_factors": [1, 1, 1, 0.5] if hybrid else [4, 2, 1, 0.5],
        "neck_hidden_sizes": list(spec.widths),
        "fusion_hidden_size": spec.features,
        "head_in_index": -1,
        "use_batch_norm_in_fusion_residual": spec.batch_norm,
        "use_bias_in_fusion_residual": not spec.batch_norm,
        "add_projection": False,
        **(_hybrid(model) if hybrid else {"is_hybrid": False}),
        **(_segmentation(model) if segmentation else {}),
    }


def processor(model: DPT) -> dict[str, Any]:
    """What transformers' DPTImageProcessor needs to bring images to the network: one square size."""
    side = _position_side(model) if len(model.spec.hooks) == 2 else model.spec.train_size
    return {
        "image_processor_type": "DPTImageProcessor",
        "do_resize": True,
        "size": {"height": side, "width": side},
        "keep_aspect_ratio": False,
        "ensure_multiple_of": 32,
        "resample": _BICUBIC,
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "do_pad": False,
        "image_mean": list(model.spec.mean),
        "image_std": list(model.spec.std),
    }


def _hybrid(model: DPT) -> dict[str, Any]:
    stem = transformer(model).patch_embed.backbone
    side = _position_side(model) // 16
    return {
        "is_hybrid": True,
        "backbone_featmap_shape": [1, stem.feature_info[-1]["num_chs"], side, side],
        "neck_ignore_stages": [0, 1],
        "backbone_config": {
            "model_type": "bit",
            "layer_type": "bottleneck",
            "global_padding": "same",
            "embedding_dynamic_padding": True,
            "embedding_size": stem.stem.conv.out_channels,
            "depths": [len(stage.blocks) for stage in stem.stages],
            "hidden_sizes": [info["num_chs"] for info in stem.feature_info[-3:]],
            "out_features": ["stage1", "stage2", "stage3"],
        },
    }


def _segmentation(model: DPT) -> dict[str, Any]:
    classes = model.spec.num_classes or 0
    names = {str(index): f"LABEL_{index}" for index in range(classes)}
    return {
        "id2label": names,
        "label2id": {name: int(index) for index, name in names.items()},
        "use_auxiliary_head": True,
        "auxiliary_loss_weight": _AUXILIARY_WEIGHT,
        "semantic_classifier_dropout": 0.1,
    }


def _position_side(model: DPT) -> int:
    """Side in pixels of the square images that the position embedding is stored for."""
    vit = transformer(model)
    num_patches: int = vit.pos_embed.shape[1] - vit.num_prefix_tokens
    return 16 * math.isqrt(num_patches)
