from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from dpt_bench.core.errors import UsageError
from dpt_bench.loading import Batch
from dpt_bench.model.build import build_model
from dpt_bench.training.choices import MultiObjectiveChoice
from dpt_bench.training.config import load_preset
from dpt_bench.training.distributed import World
from dpt_bench.training.learner import Learner, seed_torch
from dpt_bench.training.multi_objective.gradients import GradientTable
from dpt_bench.training.multi_objective.mgda import Mgda
from dpt_bench.training.multi_objective.min_norm import min_norm_weights, optimality_gap
from dpt_bench.training.tasks._contract import load_task

ALONE = World(0, 1, torch.device("cpu"))
MICRO: dict[str, Any] = {
    "model.spec.backbone": str(Path(__file__).parents[1] / "micro_backbone.py"),
    "model.spec.hooks": [0, 1],
    "model.spec.widths": [16, 16, 16, 16],
    "model.spec.features": 16,
    "model.spec.batch_norm": False,
}


def learner(**overrides: Any) -> Learner:
    preset = load_preset(
        "demo", {"crop": 32, "batch_size": 6, "precision": "fp64", "ema": "none", **MICRO, **overrides}
    )
    seed_torch(1)
    return Learner(build_model(preset.model.resolved(preset.crop)), preset, load_task(preset), ALONE)


def batch(datasets: tuple[int, ...] = (0, 1, 0, 2, 1, 0)) -> Batch:
    generator = torch.Generator().manual_seed(0)
    count = len(datasets)
    images = torch.randint(0, 256, (count, 3, 32, 32), generator=generator, dtype=torch.uint8)
    target = torch.rand(count, 32, 32, generator=generator)
    valid = torch.rand(count, 32, 32, generator=generator) > 0.2
    keys = tuple(map(str, range(count)))
    return Batch(
        images,
        target,
        valid,
        torch.full((len(images), 2), torch.nan),
        torch.tensor(datasets),
        ("a", "b", "c", "d"),
        keys,
    )


def gradient_of(subject: Learner, part: Batch) -> Tensor:
    """Of the mean loss of a batch, by one plain backward pass."""
    passes = subject.multi_objective._passes  # type: ignore[attr-defined]
    subject.optimiser.zero_grad()
    losses = subject.multi_objective._passes.task.losses(passes._together(passes._prepare(part.images)), part)  # type: ignore[attr-defined]
    losses.mean().backward()
    return flat(subject.model)


def flat(model: nn.Module) -> Tensor:
    return torch.cat([parameter.grad.flatten() for parameter in model.parameters()]).clone()  # type: ignore[union-attr]


def by_hand(subject: Learner, whole: Batch, chosen: slice = slice(None)) -> tuple[np.ndarray, Tensor]:
    """Weights and combined gradient from one plain backward pass a dataset."""
    rows = []
    for number in sorted(set(whole.dataset.tolist())):
        places = [place for place, owner in enumerate(whole.dataset.tolist()) if owner == number]
        rows.append(gradient_of(subject, whole.chosen(places)))
    table = torch.stack(rows)
    weights = min_norm_weights((table[:, chosen] @ table[:, chosen].T).numpy())
    return weights, torch.from_numpy(weights) @ table


@pytest.mark.parametrize("accumulate", [1, 3])
def test_the_gradient_is_the_min_norm_point_of_those_of_the_datasets(accumulate: int) -> None:
    subject = learner(**{"multi_objective.method": "mgda", "accumulate": accumulate})
    weights, expected = by_hand(subject, batch())
    subject.optimiser.zero_grad()
    losses = subject.multi_objective.backward(batch(), 0)
    assert losses.shape == (6,)
    assert (losses > 0).all()
    torch.testing.assert_close(flat(subject.model), expected, rtol=0, atol=1e-12)
    facts = subject.multi_objective.facts()
    assert facts["weight"] == pytest.approx(dict(zip("abc", weights, strict=True)))
    assert set(facts["gradient_norm_by_dataset"]) == {"a", "b", "c"}
    assert set(facts["cosine"]) == {"b", "c"}
    assert set(facts["cosine"]["c"]) == {"a", "b"}
    assert -1 <= facts["cosine"]["c"]["a"] <= 1
    assert subject.multi_objective.facts() == {}, "only what is new"


def test_it_is_a_descent_direction_for_every_dataset() -> None:
    """At the min-norm point no dataset's gradient opposes the step: g_t . d >= |d|^2."""
    subject = learner(**{"multi_objective.method": "mgda"})
    whole = batch()
    _, combined = by_hand(subject, whole)
    for number in (0, 1, 2):
        places = [place for place, owner in enumerate(whole.dataset.tolist()) if owner == number]
        assert float(gradient_of(subject, whole.chosen(places)) @ combined) >= float(combined @ combined) * (1 - 1e-9)


def test_one_dataset_is_what_uniform_mixing_makes_of_it() -> None:
    one, other = learner(**{"multi_objective.method": "mgda"}), learner()
    alone = batch((3, 3, 3, 3, 3, 3))
    for step in range(2):
        one.step(alone, step), other.step(alone, step)
    for mine, theirs in zip(one.model.parameters(), other.model.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-10)


def test_datasets_without_a_valid_pixel_are_left_out() -> None:
    subject = learner(**{"multi_objective.method": "mgda"})
    whole = batch()
    blind = replace(whole, valid=whole.valid & (whole.dataset != 1)[:, None, None])
    subject.multi_objective.backward(blind, 0)
    assert set(subject.multi_objective.facts()["weight"]) == {"a", "c"}
    got = flat(subject.model)
    _, expected = by_hand(subject, whole.chosen([0, 2, 3, 5]))
    torch.testing.assert_close(got, expected, rtol=0, atol=1e-12)


def test_nothing_valid_at_all_gives_zeros() -> None:
    subject = learner(**{"multi_objective.method": "mgda", "multi_objective.every": 2})
    empty = replace(batch(), valid=torch.zeros(6, 32, 32, dtype=torch.bool))
    for step in (0, 1):
        outcome = subject.step(empty, step)
        assert outcome.finite
        assert outcome.gradient_norm == 0


def test_between_solutions_the_known_weights_hold() -> None:
    subject = learner(**{"multi_objective.method": "mgda", "multi_objective.every": 2})
    weights, expected = by_hand(subject, batch())
    subject.multi_objective.backward(batch(), 0)
    subject.multi_objective.facts()
    subject.optimiser.zero_grad()
    subject.multi_objective.backward(batch(), 1)
    torch.testing.assert_close(flat(subject.model), expected, rtol=0, atol=1e-12)
    assert subject.multi_objective.facts() == {}, "nothing was solved"
    state = subject.multi_objective.state_dict()
    assert sum(state.values()) == pytest.approx(1)
    assert state["d"] == 0.25, "a dataset that was absent keeps its share"
    assert [state[name] for name in "abc"] == pytest.approx(0.75 * weights)


def test_known_weights_are_scaled_to_the_datasets_that_are_there() -> None:
    subject = learner(**{"multi_objective.method": "mgda", "multi_objective.every": 2})
    subject.multi_objective.load_state_dict({"a": 0.6, "b": 0.2, "c": 0.2, "d": 0.0})
    pair = batch((0, 1, 0, 1, 1, 0))
    parts = [gradient_of(subject, pair.chosen(places)) for places in ([0, 2, 5], [1, 3, 4])]
    subject.optimiser.zero_grad()
    subject.multi_objective.backward(pair, 1)
    torch.testing.assert_close(flat(subject.model), 0.75 * parts[0] + 0.25 * parts[1], rtol=0, atol=1e-12)
    lonely = batch((3, 3, 3, 3, 3, 3))
    subject.optimiser.zero_grad()
    subject.multi_objective.backward(lonely, 1)
    got = flat(subject.model)
    torch.testing.assert_close(got, gradient_of(subject, lonely), rtol=0, atol=1e-12)


def test_weights_solved_on_a_part_of_the_network_hold_for_all_of_it() -> None:
    subject = learner(**{"multi_objective.method": "mgda", "multi_objective.parameters": ["head.", "fusion."]})
    length = sum(p.numel() for name, p in subject.model.named_parameters() if name.startswith(("head.", "fusion.")))
    names = [name for name, _ in subject.model.named_parameters()]
    assert names[-1].startswith("head."), "decoder parameters come last"
    weights, expected = by_hand(subject, batch(), slice(-length, None))
    subject.optimiser.zero_grad()
    subject.multi_objective.backward(batch(), 0)
    torch.testing.assert_close(flat(subject.model), expected, rtol=0, atol=1e-12)
    assert subject.multi_objective.facts()["weight"] == pytest.approx(dict(zip("abc", weights, strict=True)))


def test_datasets_that_had_no_weight_get_that_of_their_solution() -> None:
    subject = learner(**{"multi_objective.method": "mgda", "multi_objective.parameters": ["head.", "fusion."]})
    subject.multi_objective.load_state_dict({"a": 0.0, "b": 0.0, "c": 0.0, "d": 1.0})
    length = sum(p.numel() for name, p in subject.model.named_parameters() if name.startswith(("head.", "fusion.")))
    _, expected = by_hand(subject, batch(), slice(-length, None))
    subject.optimiser.zero_grad()
    subject.multi_objective.backward(batch(), 0)
    torch.testing.assert_close(flat(subject.model), expected, rtol=0, atol=1e-12)


def test_parameters_that_no_network_has() -> None:
    with pytest.raises(UsageError, match="hed") as caught:
        learner(**{"multi_objective.method": "mgda", "multi_objective.parameters": ["hed."]})
    assert "head." in str(caught.value)


def test_numbers_that_are_not_finite_end_in_the_guard() -> None:
    subject = learner(**{"multi_objective.method": "mgda"})
    with torch.no_grad():
        next(subject.model.head.parameters()).fill_(float("nan"))
    assert not subject.step(batch(), 0).finite


def test_rows_keep_the_memory_order_of_the_parameters() -> None:
    parameter = torch.randn(4, 3, 5, 5).to(memory_format=torch.channels_last)
    table = GradientTable([parameter, torch.randn(7)], 2, ALONE)
    views = table.open_row(0)
    assert [view.stride() for view in views] == [parameter.stride(), (1,)]
    views[0].copy_(parameter)
    views[1].fill_(2.0)
    table.close_row(0)
    assert table.gram()[0, 0].item() == pytest.approx(float(parameter.double().square().sum()) + 28, rel=1e-12)
    assert torch.equal(table.combination(torch.tensor([1.0, 0.0], dtype=torch.float64))[0], parameter)


def test_the_gram_matrix_of_float32_gradients_is_float64() -> None:
    """Sums of 3 million float32 products are off by more than the solver's tolerance."""
    long = torch.rand(3_000_000)
    table = GradientTable([long], 1, ALONE)
    table.open_row(0)[0].copy_(long)
    exact = float(long.double().square().sum())
    assert table.gram()[0, 0].item() == pytest.approx(exact, rel=1e-12)
    assert optimality_gap(table.gram().numpy(), np.ones(1)) == 0


def test_the_choice_is_built() -> None:
    assert isinstance(learner(**{"multi_objective.method": "mgda"}).multi_objective, Mgda)
    assert MultiObjectiveChoice().method == "uniform"
