"""What must hold on a CUDA device: the same numbers as on the CPU, and a training step in bfloat16."""

from __future__ import annotations

import pytest
import torch

from dpt_bench.losses import PAPER, depth_loss
from dpt_bench.model import VARIANTS, build_model

pytestmark = pytest.mark.gpu


@pytest.fixture
def cuda() -> torch.device:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    return torch.device("cuda")


@pytest.mark.parametrize("variant", ["dpt-tiny", "dpt-base", "dpt-hybrid"])
def test_the_network_gives_the_same_depth_as_on_the_cpu(variant: str, cuda: torch.device) -> None:
    torch.manual_seed(0)
    model = build_model(VARIANTS[variant]).eval()
    images = torch.randn(2, 3, 192, 256)
    with torch.no_grad():
        here = model(images)
        there = model.to(cuda)(images.to(cuda)).cpu()
    assert (there - here).abs().max() <= 1e-4 * here.abs().max()


def test_the_loss_and_its_gradient_are_those_of_the_cpu(cuda: torch.device) -> None:
    generator = torch.Generator().manual_seed(0)
    target = torch.rand(4, 96, 128, generator=generator, dtype=torch.float64)
    valid = torch.rand(4, 96, 128, generator=generator) < 0.6
    start = 3 * target + torch.rand(4, 96, 128, generator=generator, dtype=torch.float64)
    results = []
    for device in (torch.device("cpu"), cuda):
        prediction = start.to(device).requires_grad_()
        loss = depth_loss(prediction, target.to(device), valid.to(device), PAPER)
        loss.backward()
        assert prediction.grad is not None
        results.append((loss.item(), prediction.grad.cpu()))
    assert results[0][0] == pytest.approx(results[1][0], rel=1e-9)
    torch.testing.assert_close(results[0][1], results[1][1], rtol=1e-9, atol=1e-12)


def test_a_bfloat16_step_moves_every_parameter(cuda: torch.device) -> None:
    torch.manual_seed(0)
    model = build_model(VARIANTS["dpt-base"]).to(cuda)
    images = torch.randn(2, 3, 384, 384, device=cuda)
    target = torch.rand(2, 384, 384, device=cuda)
    with torch.autocast("cuda", torch.bfloat16):
        prediction = model(images)
    depth_loss(prediction, target, torch.ones_like(target, dtype=torch.bool), PAPER).backward()
    gradients = {name: parameter.grad for name, parameter in model.named_parameters()}
    assert all(gradient is not None and torch.isfinite(gradient).all() for gradient in gradients.values())
