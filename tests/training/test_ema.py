from __future__ import annotations

import torch

from dpt_bench.model.build import build_model
from dpt_bench.model.variants import VARIANTS
from dpt_bench.training.ema import MovingAverage


def test_the_average_follows_by_its_formula() -> None:
    model = build_model(VARIANTS["dpt-tiny"])
    average = MovingAverage(model, 0.5)
    before = [parameter.clone() for parameter in average.model.parameters()]
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(1.0)
    average.update(model, 0)
    for old, now in zip(before, average.model.parameters(), strict=True):
        assert torch.allclose(now, old + 0.9, atol=1e-6), "the first step keeps a tenth"
    average.update(model, 1000)
    for old, now in zip(before, average.model.parameters(), strict=True):
        assert torch.allclose(now, old + 0.95, atol=1e-6)
    assert not any(parameter.requires_grad for parameter in average.model.parameters())
    assert not average.model.training
