from __future__ import annotations

import pytest
import torch

from dpt_bench.model.build import build_model
from dpt_bench.model.variants import VARIANTS
from dpt_bench.training.config import OptimiserChoice
from dpt_bench.training.optimiser import build_optimiser, load_moments, rate_factor, set_rates


def choice(**changes: object) -> OptimiserChoice:
    return OptimiserChoice.model_validate({"lr_backbone": 1e-5, "lr_decoder": 1e-4, **changes})


def test_two_rates_reach_every_parameter_once() -> None:
    model = build_model(VARIANTS["dpt-tiny"])
    optimiser = build_optimiser(model, choice(name="adamw", weight_decay=0.1))
    rates = {
        id(parameter): (group["lr"], group["weight_decay"])
        for group in optimiser.param_groups
        for parameter in group["params"]
    }
    assert len(rates) == len(list(model.parameters())) == sum(len(g["params"]) for g in optimiser.param_groups)
    for parameter in model.backbone.parameters():
        assert rates[id(parameter)] == (1e-5, 0.1 if parameter.ndim >= 2 else 0.0)
    for part in (model.reassemble, model.fusion, model.head):
        for parameter in part.parameters():
            assert rates[id(parameter)] == (1e-4, 0.1 if parameter.ndim >= 2 else 0.0)


def test_a_resumed_run_has_its_moments_and_the_settings_of_now() -> None:
    model = build_model(VARIANTS["dpt-tiny"])
    before = build_optimiser(model, choice(name="adamw", weight_decay=0.1))
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    before.step()
    now = build_optimiser(model, choice(name="adamw", weight_decay=0.3, betas=(0.8, 0.99)))
    load_moments(now, before.state_dict())
    assert {(group["weight_decay"], group["betas"]) for group in now.param_groups} == {
        (0.3, (0.8, 0.99)),
        (0.0, (0.8, 0.99)),
    }
    first = next(model.parameters())
    assert torch.equal(now.state[first]["exp_avg"], before.state[first]["exp_avg"])


def test_rates_of_a_step() -> None:
    optimiser = build_optimiser(build_model(VARIANTS["dpt-tiny"]), choice(warmup=4))
    set_rates(optimiser, choice(warmup=4), 1, 10)
    assert {group["name"]: group["lr"] for group in optimiser.param_groups} == {"backbone": 5e-6, "decoder": 5e-5}


@pytest.mark.parametrize(
    ("schedule", "middle", "end"), [("constant", 1.0, 1.0), ("cosine", 0.55, 0.1), ("poly", 0.5**0.9, 0.0)]
)
def test_schedules(schedule: str, middle: float, end: float) -> None:
    options = choice(schedule=schedule, warmup=10, final=0.1)
    assert [rate_factor(options, step, 110) for step in (0, 4, 9)] == pytest.approx([0.1, 0.5, 1.0])
    assert rate_factor(options, 10, 110) == pytest.approx(1.0)
    assert rate_factor(options, 60, 110) == pytest.approx(middle)
    assert rate_factor(options, 110, 110) == pytest.approx(end, abs=1e-12)
