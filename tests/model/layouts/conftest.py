"""Fixtures: transformers' DPT as an independent client, in the shape of the micro networks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

MICRO: dict[str, dict[str, Any]] = {
    "micro": {"num_hidden_layers": 5, "backbone_out_indices": [0, 1, 3, 4], "neck_hidden_sizes": [8, 16, 24, 32]},
    "micro-ade20k": {
        "num_hidden_layers": 5,
        "backbone_out_indices": [0, 1, 3, 4],
        "neck_hidden_sizes": [8, 16, 24, 32],
        "use_batch_norm_in_fusion_residual": True,
        "num_labels": 7,
    },
    "micro-hybrid": {
        "num_hidden_layers": 3,
        "is_hybrid": True,
        "backbone_out_indices": [0, 0, 1, 2],
        "neck_hidden_sizes": [128, 256, 24, 32],
        "reassemble_factors": [1, 1, 1, 0.5],
        "backbone_featmap_shape": [1, 512, 4, 4],
        "backbone_config": {
            "model_type": "bit",
            "global_padding": "same",
            "layer_type": "bottleneck",
            "depths": [1, 1, 2],
            "hidden_sizes": [128, 256, 512],
            "out_features": ["stage1", "stage2", "stage3"],
            "embedding_dynamic_padding": True,
        },
    },
}


@pytest.fixture
def their_micro(lively: Callable[[torch.nn.Module], torch.nn.Module]) -> Callable[..., torch.nn.Module]:
    """A network of transformers in the shape of a micro network, with lively weights."""
    from transformers import DPTConfig, DPTForDepthEstimation, DPTForSemanticSegmentation

    def make(name: str, **change: object) -> torch.nn.Module:
        common = {
            "hidden_size": 48,
            "num_attention_heads": 3,
            "intermediate_size": 192,
            "image_size": 64,
            "fusion_hidden_size": 128,
        }
        config = DPTConfig(**common, **MICRO[name], **change)
        kind = DPTForSemanticSegmentation if "ade20k" in name else DPTForDepthEstimation
        return lively(kind(config))

    return make


@pytest.fixture
def answer_of() -> Callable[[torch.nn.Module, torch.Tensor], torch.Tensor]:
    """What a network of transformers predicts: depth, or logits."""

    def answer(model: torch.nn.Module, images: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            found = model(images)
        return found.logits if "logits" in found else found.predicted_depth

    return answer
