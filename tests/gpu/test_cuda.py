"""What must hold on a CUDA device: the same numbers as on the CPU, and a training step in bfloat16."""

from __future__ import annotations

import pytest
import torch

from dpt_bench.losses import PAPER, depth_loss
from dpt_bench.model import VARIANTS, build_model

pytestmark = pytest.mark.gpu


@pytest.mark.parametrize("variant", ["dpt-tiny", "dpt-base", "dpt-hybrid"])
def test_the_network_gives_the_same_depth_as_on_the_cpu(variant: str, exact: torch.device) -> None:
    torch.manual_seed(0)
    model = build_model(VARIANTS[variant]).eval()
    images = torch.randn(2, 3, 192, 256)
    with torch.no_grad():
        here = model(images)
        there = model.to(exact)(images.to(exact)).cpu()
    assert (there - here).abs().max() <= 1e-4 * here.abs().max()


def test_the_loss_and_its_gradient_are_those_of_the_cpu(device: torch.device) -> None:
    generator = torch.Generator().manual_seed(0)
    target = torch.rand(4, 96, 128, generator=generator, dtype=torch.float64)
    valid = torch.rand(4, 96, 128, generator=generator) < 0.6
    start = 3 * target + torch.rand(4, 96, 128, generator=generator, dtype=torch.float64)
    results = []
    for place in (torch.device("cpu"), device):
        prediction = start.to(place, copy=True).requires_grad_()
        loss = depth_loss(prediction, target.to(place), valid.to(place), PAPER)
        loss.backward()
        assert prediction.grad is not None
        results.append((loss.item(), prediction.grad.cpu()))
    assert results[0][0] == pytest.approx(results[1][0], rel=1e-9)
    torch.testing.assert_close(results[0][1], results[1][1], rtol=1e-9, atol=1e-12)


def test_the_loss_never_waits_for_the_device(device: torch.device) -> None:
    if device.type != "cuda":
        pytest.skip("no CUDA device")
    target = torch.rand(4, 96, 128, device=device)
    valid, prediction = target > 0.2, torch.rand_like(target, requires_grad=True)
    depth_loss(prediction, target, valid, PAPER).backward()
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        depth_loss(prediction, target, valid, PAPER).backward()
    finally:
        torch.cuda.set_sync_debug_mode("default")


def test_a_bfloat16_step_moves_every_parameter(device: torch.device) -> None:
    torch.manual_seed(0)
    model = build_model(VARIANTS["dpt-base"]).to(device)
    images = torch.randn(2, 3, 384, 384, device=device)
    target = torch.rand(2, 384, 384, device=device)
    with torch.autocast(device.type, torch.bfloat16):
        prediction = model(images)
    depth_loss(prediction, target, torch.ones_like(target, dtype=torch.bool), PAPER).backward()
    gradients = {name: parameter.grad for name, parameter in model.named_parameters()}
    assert all(gradient is not None and torch.isfinite(gradient).all() for gradient in gradients.values())
