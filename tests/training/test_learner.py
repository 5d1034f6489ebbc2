from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from dpt_bench.core.errors import UsageError
from dpt_bench.loading import Batch
from dpt_bench.losses import depth_loss
from dpt_bench.model.build import build_model
from dpt_bench.training.config import Preset, load_preset
from dpt_bench.training.distributed import World
from dpt_bench.training.learner import Learner, seed_torch
from dpt_bench.training.passes import InputNormaliser
from dpt_bench.training.tasks._contract import load_task

ALONE = World(0, 1, torch.device("cpu"))


MICRO: dict[str, Any] = {
    "model.spec.backbone": str(Path(__file__).with_name("micro_backbone.py")),
    "model.spec.hooks": [0, 1],
    "model.spec.widths": [16, 16, 16, 16],
    "model.spec.features": 16,
    "model.spec.batch_norm": False,
}


def preset(**overrides: Any) -> Preset:
    return load_preset("demo", {"crop": 32, "batch_size": 4, **overrides})


def learner(choice: Preset) -> Learner:
    seed_torch(1)
    return Learner(build_model(choice.model.resolved(choice.crop)), choice, load_task(choice), ALONE)


def batch(count: int = 4) -> Batch:
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (count, 3, 32, 32), generator=generator, dtype=torch.uint8)
    target = torch.rand(count, 32, 32, generator=generator)
    valid = torch.rand(count, 32, 32, generator=generator) > 0.2
    numbers = torch.arange(count) % 2
    keys = tuple(map(str, range(count)))
    return Batch(images, target, valid, torch.full((len(images), 2), torch.nan), numbers, ("a", "b"), keys)


def weights(subject: Learner) -> list[torch.Tensor]:
    return [parameter.detach().clone() for parameter in subject.model.parameters()]


def test_images_are_normalised_as_the_spec_says() -> None:
    model = build_model(load_preset("demo").model.resolved(64)).double()
    model.spec = model.spec.model_copy(update={"mean": (0.1, 0.2, 0.3), "std": (0.5, 0.25, 0.2)})
    images = batch().images
    expected = (images.double() / 255 - torch.tensor([0.1, 0.2, 0.3]).double().reshape(3, 1, 1)) / torch.tensor(
        [0.5, 0.25, 0.2]
    ).double().reshape(3, 1, 1)
    assert torch.allclose(InputNormaliser(model, torch.device("cpu"))(images), expected, atol=1e-6)


def test_a_step_lowers_the_loss_on_its_batch() -> None:
    subject = learner(preset(**{"optimiser.warmup": 0, "steps": 1000}))
    first = subject.step(batch(), 0)
    for step in range(1, 12):
        last = subject.step(batch(), step)
    assert first.finite
    assert first.losses.shape == (4,)
    assert first.dataset.tolist() == [0, 1, 0, 1]
    assert first.gradient_norm > 0
    assert float(last.losses.mean()) < float(first.losses.mean())


@pytest.mark.parametrize("parts", [2, 4])
@pytest.mark.parametrize("reduction", ["image", "batch"])
@pytest.mark.parametrize("method", ["uniform", "mgda"])
def test_accumulation_changes_nothing_but_rounding(parts: int, reduction: str, method: str) -> None:
    settings = {**MICRO, "loss.reduction": reduction, "loss.gradient_denominator": "scale"}
    settings |= {"precision": "fp64", "multi_objective.method": method, "multi_objective.every": 2}
    whole, cut = learner(preset(**settings)), learner(preset(**settings, accumulate=parts))
    uneven = batch()
    uneven.valid[0, 8:] = False  # else the images have about as many valid pixels, and sums over them little to tell
    for step in range(3):
        one, other = whole.step(uneven, step), cut.step(uneven, step)
        assert torch.allclose(one.losses, other.losses, rtol=0, atol=1e-10)
    for mine, theirs in zip(weights(whole), weights(cut), strict=True):
        assert torch.allclose(mine, theirs, rtol=0, atol=1e-9)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
@pytest.mark.parametrize(
    ("changes", "graphs"),
    [
        ({}, ["7"]),
        ({"accumulate": 4}, ["2", "1"]),
        ({"multi_objective.method": "mgda"}, ["any", "1"]),
        ({"multi_objective.method": "mgda", "multi_objective.every": 2}, ["any"]),
    ],
)
def test_steps_compile_few_graphs_and_learn_the_same(
    changes: dict[str, Any], graphs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled: list[str] = []

    def record(graph: torch.fx.GraphModule, _: object) -> Callable[..., Any]:
        sizes = [node.meta["example_value"].shape[0] for node in graph.graph.nodes if "images" in node.name]
        compiled.append("any" if isinstance(sizes[0], torch.SymInt) else str(sizes[0]))
        return graph.forward

    torch._dynamo.reset()
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend=record))
    settings = {**MICRO, "precision": "fp64", "batch_size": 7, **changes}
    plain, subject = learner(preset(**settings)), learner(preset(**settings, compile=True))
    for step, datasets in enumerate([(0, 0, 0, 1, 1, 1, 1), (0, 1, 1, 1, 1, 1, 1), (1, 0, 1, 0, 1, 0, 0)]):
        drawn = replace(batch(7), dataset=torch.tensor(datasets))
        one, other = plain.step(drawn, step), subject.step(drawn, step)
        assert torch.allclose(one.losses, other.losses, rtol=0, atol=1e-10)
    torch._dynamo.reset()
    assert compiled == graphs
    for mine, theirs in zip(weights(plain), weights(subject), strict=True):
        assert torch.allclose(mine, theirs, rtol=0, atol=1e-9)


def test_sums_over_the_batch_are_those_of_the_loss() -> None:
    choice = preset(precision="fp64", **MICRO, **{"loss.reduction": "batch", "loss.gradient_denominator": "scale"})
    subject, uneven = learner(choice), batch()
    uneven.valid[0, 8:] = False
    prediction = subject.model(InputNormaliser(subject.model, ALONE.device)(uneven.images))
    expected = depth_loss(prediction, uneven.target, uneven.valid, choice.loss)
    assert float(subject.step(uneven, 0).losses.mean()) == pytest.approx(expected.item(), rel=1e-9)


@pytest.mark.parametrize("changes", [{"accumulate": 2}, {"multi_objective.method": "mgda"}])
def test_residuals_are_not_ranked_over_a_batch_in_parts(changes: dict[str, Any]) -> None:
    assert preset(**{"loss.trim": 0.2, "loss.trim_scope": "batch"}).trims_over_the_batch
    with pytest.raises(UsageError, match="trim_scope"):
        preset(**{"loss.trim": 0.2, "loss.trim_scope": "batch", **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"optimiser.name": "adam", "optimiser.clip": "none"},
        {"multi_objective.method": "mgda"},
        {"precision": "fp64"},
    ],
    ids=str,
)
@pytest.mark.parametrize("first", [0, 1])
def test_a_step_that_is_not_finite_updates_nothing(changes: dict[str, Any], first: int) -> None:
    """Neither weights nor their average, nor Adam's moments, nor its counts of steps; in the very first step too."""
    subject = learner(preset(**{**MICRO, **changes}))
    for step in range(first):
        subject.step(batch(), step)
    counts = [float(state["step"]) for state in subject.optimiser.state.values()]
    assert counts == [first] * len(counts)
    with torch.no_grad():
        next(subject.model.head.parameters()).fill_(float("nan"))
    before = everything(subject)
    assert not subject.step(batch(), first).finite
    after = everything(subject)
    for old, now in zip(before, after, strict=False):  # before the first step there are no moments
        torch.testing.assert_close(old, now, rtol=0, atol=0, equal_nan=True)
    if not first:
        assert all(not value.any() for state in subject.optimiser.state.values() for value in state.values())


def everything(subject: Learner) -> list[torch.Tensor]:
    """Weights, their average, Adam's moments and counts of steps."""
    moments = [value for state in subject.optimiser.state.values() for value in state.values()]
    networks = [*subject.model.state_dict().values(), *subject.evaluated.state_dict().values()]
    return [tensor.detach().clone() for tensor in (*networks, *moments)]


def test_images_without_valid_pixels_do_no_harm() -> None:
    subject = learner(preset())
    empty = replace(batch(), valid=torch.zeros(4, 32, 32, dtype=torch.bool))
    outcome = subject.step(empty, 0)
    assert outcome.finite
    assert outcome.losses.tolist() == [0, 0, 0, 0]
    assert outcome.gradient_norm == 0


def test_bfloat16_keeps_float32_weights_and_losses() -> None:
    subject = learner(preset(precision="bf16"))
    outcome = subject.step(batch(), 0)
    assert outcome.finite
    assert outcome.losses.dtype == torch.float32
    assert {parameter.dtype for parameter in subject.model.parameters()} == {torch.float32}


def test_clipping_bounds_the_gradient() -> None:
    subject = learner(preset(**{"optimiser.clip": 1e-3}))
    outcome = subject.step(batch(), 0)
    norms = torch.stack(
        [parameter.grad.norm() for parameter in subject.model.parameters() if parameter.grad is not None]
    )
    assert outcome.gradient_norm > 1e-3, "the norm that is logged is that before clipping"
    assert float(norms.norm()) == pytest.approx(1e-3, rel=1e-3)


def test_gradient_checkpointing_changes_no_number() -> None:
    settings = {"precision": "fp64", **MICRO}
    kept, less = learner(preset(**settings)), learner(preset(**settings, gradient_checkpointing=True))
    for step in range(2):
        one, other = kept.step(batch(), step), less.step(batch(), step)
        assert torch.allclose(one.losses, other.losses, rtol=0, atol=1e-12)
    for mine, theirs in zip(weights(kept), weights(less), strict=True):
        assert torch.allclose(mine, theirs, rtol=0, atol=1e-12)


@pytest.mark.parametrize("method", ["uniform", "mgda"])
def test_gradient_checkpointing_keeps_less(method: str) -> None:
    """Tensors that the forward pass of a step keeps for its backward pass, in bytes."""
    kept = []
    for checkpointing in (False, True):
        subject = learner(preset(**MICRO, gradient_checkpointing=checkpointing, **{"multi_objective.method": method}))
        sizes: list[int] = []

        def note(tensor: torch.Tensor, sizes: list[int] = sizes) -> torch.Tensor:
            sizes.append(tensor.nbytes)
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
            subject.step(batch(), 0)
        kept.append(sum(sizes))
    assert kept[1] < kept[0]


def test_a_network_without_blocks_refuses_gradient_checkpointing() -> None:
    choice = load_preset("mix6-midas", {"gradient_checkpointing": True, "model.pretrained": False})
    with torch.device("meta"), pytest.raises(UsageError, match="transformer blocks"):
        learner(choice)


def test_samples_are_chosen_by_their_places() -> None:
    chosen = batch().chosen([3, 1])
    assert chosen.keys == ("3", "1")
    assert chosen.dataset.tolist() == [1, 1]
    assert torch.equal(chosen.target, batch().target[[3, 1]])
    assert chosen.names == ("a", "b")


def test_prediction_comes_from_the_average_in_eval_mode() -> None:
    subject = learner(preset())
    for step in range(3):
        subject.step(batch(), step)
    assert subject.average is not None
    expected = subject.average.model(InputNormaliser(subject.model, ALONE.device)(batch().images))
    assert torch.equal(subject.predict(batch()), expected)
    assert subject.model.training
    plain = learner(preset(ema="none"))
    assert plain.evaluated is plain.model
    plain.predict(batch())
    assert plain.model.training


def test_torch_is_seeded_by_the_step_alone() -> None:
    seed_torch(3, 17, 0)
    first = torch.rand(3)
    torch.rand(5)
    seed_torch(3, 17, 0)
    assert torch.equal(torch.rand(3), first)
    seed_torch(3, 18, 0)
    assert not torch.equal(torch.rand(3), first)
