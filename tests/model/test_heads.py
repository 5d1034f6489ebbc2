from __future__ import annotations

import pytest
import torch

from dpt_bench.core.kinds import DepthKind
from dpt_bench.model.heads import DepthHead, SegmentationHead, build_head
from dpt_bench.model.spec import ModelSpec

SPEC = ModelSpec(backbone="conv_hybrid_tiny", hooks=(0, 1), widths=(8, 8, 8, 8), features=16)


def test_depth_doubles_the_map() -> None:
    assert DepthHead(SPEC)(torch.randn(2, 16, 16, 24)).shape == (2, 32, 48)


def test_without_non_negative_the_output_may_be_negative() -> None:
    head = DepthHead(SPEC.model_copy(update={"non_negative": False}))
    with torch.no_grad():
        head.layers[4].bias.fill_(-5)
    assert head(torch.randn(1, 16, 8, 8)).max() < 0
    clipped = DepthHead(SPEC)
    clipped.load_state_dict(head.state_dict())
    assert torch.count_nonzero(clipped(torch.randn(1, 16, 8, 8))) == 0


def test_fine_tuned_heads_scale_shift_and_invert() -> None:
    change = {"scale": 0.5, "shift": 0.25, "invert": True, "kind": DepthKind.METRIC_DEPTH}
    plain, metric = DepthHead(SPEC), DepthHead(SPEC.model_copy(update=change))
    metric.load_state_dict(plain.state_dict())
    features = torch.randn(1, 16, 8, 8)
    torch.testing.assert_close(metric(features), 1 / (0.5 * plain(features) + 0.25))


def test_inversion_never_divides_by_zero() -> None:
    head = DepthHead(SPEC.model_copy(update={"invert": True}))
    with torch.no_grad():
        head.layers[4].bias.fill_(-5)
    assert torch.isfinite(head(torch.randn(1, 16, 8, 8))).all()


@pytest.mark.parametrize("features", [16, 64, 256])
def test_channels_halve_and_end_at_32(features: int) -> None:
    head = DepthHead(SPEC.model_copy(update={"features": features}))
    assert head.layers[0].out_channels == features // 2
    assert head.layers[2].out_channels == min(32, features // 4)


def test_segmentation_gives_logits_at_image_size() -> None:
    head = build_head(SPEC.model_copy(update={"head": "segmentation", "num_classes": 7}))
    assert isinstance(head, SegmentationHead)
    assert head(torch.randn(2, 16, 8, 12)).shape == (2, 7, 16, 24)
