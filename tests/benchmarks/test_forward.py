"""The forward pass beside transformers' DPT: fp32 on the CPU at 384 x 384, random weights."""

from __future__ import annotations

import pytest
import torch

from dpt_bench.model import VARIANTS, build_model
from dpt_bench.model.inference import for_inference


@pytest.mark.parametrize("batch_size", [1, 4])
@pytest.mark.parametrize("variant", ["dpt-base", "dpt-large", "dpt-hybrid"])
def test_forward(variant: str, batch_size: int, compare, transformers_dpt) -> None:
    ours = for_inference(build_model(VARIANTS[variant]))
    theirs = transformers_dpt(variant).eval()
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
