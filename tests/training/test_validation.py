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
    for packed in loader(shards_url):
        batch = packed.to(ALONE.device)
        for place in range(len(batch)):
            prediction = brightness(batch)[place].double().numpy()
            target, valid = batch.target[place].double().numpy(), batch.valid[place].numpy()
            fit = fit_scale_and_shift(prediction, target, valid)
            residual = (fit.scale * prediction + fit.shift - target)[valid]
            expected[batch.names[int(batch.dataset[place])]].append(float(np.sqrt(np.mean(residual**2))))
    scores = validate(brightness, loader(shards_url), TASK, ALONE, SILENT)
    for name, values in expected.items():
        assert scores.by_dataset["rmse_disparity"][name] == pytest.approx(np.mean(values), rel=1e-9)
    assert scores.mean() == pytest.approx(np.mean([np.mean(values) for values in expected.values()]), rel=1e-9)


def test_a_perfect_affine_copy_scores_zero_and_ranks_change_nothing(shards_url: str) -> None:
    perfect = validate(lambda batch: 3 * batch.target - 7, loader(shards_url), TASK, ALONE, SILENT)
    assert max(max(values.values()) for values in perfect.by_dataset.values()) < 1e-6
    small = validate(brightness, loader(shards_url, batch_size=1), TASK, ALONE, SILENT)
    large = validate(brightness, loader(shards_url, batch_size=9), TASK, ALONE, SILENT)
    assert small.mean() == pytest.approx(large.mean(), rel=1e-12)


def test_an_image_without_valid_pixels_is_not_counted() -> None:
    batch = Batch(
        torch.zeros(2, 3, 4, 4, dtype=torch.uint8),
        torch.rand(2, 4, 4),
        torch.tensor([True, False])[:, None, None].expand(2, 4, 4),
        torch.zeros(2, 2),
        torch.tensor([0, 0]),
        ("a",),
        ("k", "l"),
    )
    scores = TASK.scores(torch.rand(2, 4, 4), batch)
    assert scores.isnan().tolist() == [[False, False], [True, True]]
    assert scores.dtype == torch.float64


def test_each_dataset_counts_once() -> None:
    scores = Scores({"first": {"a": 1.0, "b": 3.0}, "second": {"a": 5.0}})
    assert scores.mean() == 2.0, "the first one selects"
    assert scores.mean("second") == 5.0


def test_the_relative_error_is_bounded_where_the_disparity_is_zero() -> None:
    """A fit that is off by 0.1 everywhere it can be: |error| / max(target, 0.05), by hand."""
    target = torch.tensor([[[0.0, 0.02, 0.5, 1.0]]])
    prediction = torch.tensor([[[0.1, 0.0, 0.4, 0.9]]])
    valid = torch.ones_like(target, dtype=torch.bool)
    batch = Batch(
        torch.zeros(1, 3, 1, 4, dtype=torch.uint8), target, valid, torch.zeros(1, 2), torch.tensor([0]), ("a",), ("k",)
    )
    fit = fit_scale_and_shift(prediction[0].numpy(), target[0].numpy(), valid[0].numpy())
    error = np.abs(fit.scale * prediction[0].numpy() + fit.shift - target[0].numpy())
    expected = (error / np.array([[0.05, 0.05, 0.5, 1.0]])).mean()
    assert TASK.score_names[1] == "absrel_disparity_floor_0.05"
    assert float(TASK.scores(prediction, batch)[0, 1]) == pytest.approx(expected, rel=1e-6)
