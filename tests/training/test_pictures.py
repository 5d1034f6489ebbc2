from __future__ import annotations

import numpy as np
import torch

from dpt_bench.loading import Batch
from dpt_bench.training.pictures import Pictures


def batch(count: int = 4, side: int = 32) -> Batch:
    target = torch.linspace(0, 1, side).repeat(count, side, 1)
    valid = torch.ones(count, side, side, dtype=torch.bool)
    valid[:, :8] = False
    images = torch.full((count, 3, side, side), 200, dtype=torch.uint8)
    names = tuple(map(str, range(count)))
    return Batch(images, target, valid, torch.zeros(count, 2), torch.arange(count) % 2, ("a", "b"), names)


def test_as_many_of_each_dataset_as_asked_for() -> None:
    subject = Pictures(1)
    for _ in range(3):
        subject.add(batch().target, batch())
    assert len(subject.rows) == 2
    sheet = subject.sheet()
    assert sheet is not None
    assert sheet.dtype == np.uint8
    assert sheet.shape[1] >= 4 * 32
    assert Pictures(0).sheet() is None


def test_the_prediction_is_shown_as_it_is_scored() -> None:
    """After the alignment, an affine copy looks like the target, also where the target is invalid, and has no error."""
    subject = Pictures(2)
    subject.add(-7 + 3 * batch().target, batch())
    image, prediction, target, error = subject.rows[0]
    assert (image == 200).all()
    assert np.abs(prediction[8:].astype(int) - target[8:]).max() <= 1
    assert (prediction[0] == prediction[20]).all(), "invalid pixels are predicted too"
    assert (target[0] != target[20]).any(), "and hatched in the target"
    assert error[8:].min() >= 240, "white"
