"""The forward pass beside transformers' DPT: fp32 on the CPU at 384 x 384, random weights."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import transformers

from dpt_bench.model import VARIANTS, build_model
from dpt_bench.model.inference import for_inference

VIT_BASE: dict[str, Any] = {
    "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072,
}  # fmt: skip
CONFIGS: dict[str, dict[str, Any]] = {
    "dpt-base": {**VIT_BASE, "backbone_out_indices": [2, 5, 8, 11], "neck_hidden_sizes": [96, 192, 384, 768]},
    "dpt-large": {
        "hidden_size": 1024,
        "num_hidden_layers": 24,
        "num_attention_heads": 16,
        "intermediate_size": 4096,
        "backbone_out_indices": [5, 11, 17, 23],
        "neck_hidden_sizes": [256, 512, 1024, 1024],
    },
    "dpt-hybrid": {
        **VIT_BASE,
        "is_hybrid": True,
        "backbone_out_indices": [0, 1, 8, 11],
        "neck_hidden_sizes": [256, 512, 768, 768],
    },
}


@pytest.mark.parametrize("batch_size", [1, 4])
@pytest.mark.parametrize("variant", CONFIGS)
def test_forward(variant: str, batch_size: int, compare) -> None:
    ours = for_inference(build_model(VARIANTS[variant]))
    theirs = transformers.DPTForDepthEstimation(transformers.DPTConfig(**CONFIGS[variant])).eval()
    images = torch.randn(batch_size, 3, 384, 384)
    counts = [sum(one.numel() for one in model.parameters()) for model in (ours, theirs)]
    assert counts[0] == pytest.approx(counts[1], rel=0.02), "the same network"
    with torch.inference_mode():
        assert ours(images).shape == theirs(images).predicted_depth.shape
        ratio = compare(
            f"{variant}, batch {batch_size}, fp32, {torch.get_num_threads()} threads",
            lambda: ours(images),
            "transformers DPTForDepthEstimation",
            lambda: theirs(images),
        )
    assert ratio > 0
