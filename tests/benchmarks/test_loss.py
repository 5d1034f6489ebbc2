from __future__ import annotations

import torch

from dpt_bench.losses import PAPER, depth_loss


def plain_loop(prediction: torch.Tensor, target: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
    """The paper's loss image by image, as one would write it down: boolean indexing, median, sort, four scales."""
    total = prediction.new_zeros(())
    for one, truth, mask in zip(prediction, target, valid, strict=True):
        normalised = []
        for values in (one, truth):
            seen = values[mask]
            centre = seen.median()
            normalised.append((values - centre) / (seen - centre).abs().mean())
        residual = normalised[0] - normalised[1]
        count = mask.sum()
        ordered = residual[mask].abs().sort().values
        total = total + ordered[: int(0.8 * len(ordered))].sum() / (2 * count)
        for scale in range(4):
            step = 2**scale
            part, seen = residual[::step, ::step], mask[::step, ::step]
            right = (part[:, 1:] - part[:, :-1]).abs()[seen[:, 1:] & seen[:, :-1]].sum()
            down = (part[1:] - part[:-1]).abs()[seen[1:] & seen[:-1]].sum()
            total = total + 0.5 * (right + down) / count
    return total / len(prediction)


def test_loss_forward_and_backward(compare) -> None:
    generator = torch.Generator().manual_seed(0)
    shape = (16, 384, 384)
    target = torch.rand(shape, generator=generator)
    valid = torch.rand(shape, generator=generator) < 0.7
    prediction = (3 * target + torch.rand(shape, generator=generator)).requires_grad_()

    def step(loss) -> float:
        prediction.grad = None
        value = loss(prediction, target, valid)
        value.backward()
        return value.item()

    ours = lambda: step(lambda *tensors: depth_loss(*tensors, PAPER))  # noqa: E731
    theirs = lambda: step(plain_loop)  # noqa: E731
    assert abs(ours() - theirs()) < 1e-3 * abs(theirs())
    assert compare("loss, 16 x 384 x 384, fwd + bwd", ours, "the same formula, image by image", theirs, rounds=5) > 0
