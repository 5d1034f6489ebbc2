from __future__ import annotations

import numpy as np
import pytest
import torch

from dpt_bench.alignment import fit_scale_and_shift
from dpt_bench.core.progress import SILENT
from dpt_bench.loading import Batch, ValidationLoader, ValidationOptions
from dpt_bench.training.config import load_preset
from dpt_bench.training.distributed import World
from dpt_bench.training.tasks._contract import load_task
from dpt_bench.training.validation import Scores, validate

ALONE = World(0, 1, torch.device("cpu"))
TASK = load_task(load_preset("demo"))


def loader(shards_url: str, **changes: object) -> ValidationLoader:
    return ValidationLoader(shards_url, ValidationOptions(**{"size": 64, "batch_size": 4, **changes}))  # type: ignore[arg-type]


def brightness(batch: Batch) -> torch.Tensor:
    return batch.images.float().mean(dim=1)


def test_scores_are_those_of_the_evaluation_alignment(shards_url: str) -> None:
    expected: dict[str, list[float]] = {"redweb": [], "tartanair": []}
    for batch in loader(shards_url):
        for place in range(len(batch)):
            prediction = brightness(batch)[place].double().numpy()
            target, valid = batch.target[place].double().numpy(), batch.valid[place].numpy()
            fit = fit_scale_and_shift(prediction, target, valid)
            residual = (fit.scale * prediction + fit.shift - target)[valid]
            expected[batch.names[int(batch.dataset[place])]].append(float(np.sqrt(np.mean(residual**2))))
    scores = validate(brightness, loader(shards_url), TASK, ALONE, SILENT)
    for name, values in expected.items():
        assert scores.by_dataset[name] == pytest.approx(np.mean(values), rel=1e-9)
    assert scores.mean == pytest.approx(np.mean([np.mean(values) for values in expected.values()]), rel=1e-9)


def test_a_perfect_affine_copy_scores_zero_and_ranks_change_nothing(shards_url: str) -> None:
    perfect = validate(lambda batch: 3 * batch.target - 7, loader(shards_url), TASK, ALONE, SILENT)
    assert max(perfect.by_dataset.values()) < 1e-7
    small = validate(brightness, loader(shards_url, batch_size=1), TASK, ALONE, SILENT)
    large = validate(brightness, loader(shards_url, batch_size=9), TASK, ALONE, SILENT)
    assert small.mean == pytest.approx(large.mean, rel=1e-12)


def test_an_image_without_valid_pixels_is_not_counted() -> None:
    batch = Batch(
        torch.zeros(2, 3, 4, 4, dtype=torch.uint8),
        torch.rand(2, 4, 4),
        torch.tensor([True, False])[:, None, None].expand(2, 4, 4),
        torch.zeros(2, 4, 4, dtype=torch.bool),
        torch.tensor([0, 0]),
        ("a",),
        ("k", "l"),
    )
    scores = TASK.scores(torch.rand(2, 4, 4), batch)
    assert scores.isnan().tolist() == [False, True]
    assert scores.dtype == torch.float64


def test_each_dataset_counts_once() -> None:
    assert Scores({"a": 1.0, "b": 3.0}).mean == 2.0
