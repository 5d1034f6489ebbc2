from __future__ import annotations

import torch

from dpt_bench.training.multi_objective import uniform_loss


def test_parts_add_up_to_the_mean_of_the_batch() -> None:
    losses = torch.tensor([1.0, 2.0, 6.0, 7.0])
    assert uniform_loss(losses[:3], 4) + uniform_loss(losses[3:], 4) == losses.mean()
