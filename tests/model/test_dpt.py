from __future__ import annotations

import pytest
import torch
from torch import nn

from dpt_bench.losses import depth_loss
from dpt_bench.model.build import build_model, empty_model
from dpt_bench.model.spec import ModelSpec
from dpt_bench.model.variants import VARIANTS


@pytest.mark.parametrize("size", [(32, 32), (64, 96), (160, 32)])
@pytest.mark.parametrize("readout", ["ignore", "add", "project"])
def test_output_has_the_size_of_the_image(size: tuple[int, int], readout: str, small_spec: ModelSpec) -> None:
    model = build_model(small_spec.model_copy(update={"readout": readout}))
    assert model(torch.randn(2, 3, *size)).shape == (2, *size)


@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_answers_at_any_multiple_of_32(name: str) -> None:
    spec = VARIANTS[name]
    with torch.device("meta"):
        output = empty_model(spec).eval()(torch.empty(1, 3, 96, 64))
    assert output.shape == ((1, 96, 64) if spec.head == "depth" else (1, 150, 96, 64))


@pytest.mark.parametrize("head", ["depth", "segmentation"])
@pytest.mark.parametrize("readout", ["ignore", "add", "project"])
def test_every_parameter_gets_a_gradient(head: str, readout: str, small_spec: ModelSpec) -> None:
    classes = 5 if head == "segmentation" else None
    change = {"head": head, "readout": readout, "num_classes": classes, "batch_norm": head == "segmentation"}
    model = build_model(small_spec.model_copy(update=change))
    output = model(torch.randn(2, 3, 64, 64))
    (output * torch.randn_like(output)).sum().backward()
    dead = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert dead == []


@pytest.mark.parametrize("name", ["dpt-base", "dpt-hybrid", "midas-v21"])
def test_every_parameter_of_the_large_ones_is_reached(name: str) -> None:
    with torch.device("meta"):
        model = empty_model(VARIANTS[name])
        model(torch.empty(2, 3, 64, 64)).sum().backward()
    assert [key for key, parameter in model.named_parameters() if parameter.grad is None] == []


def test_backbone_and_decoder_parameters_are_disjoint_and_complete(small_spec: ModelSpec) -> None:
    model = build_model(small_spec)
    backbone = {id(parameter) for parameter in model.backbone_parameters()}
    decoder = {id(parameter) for parameter in model.decoder_parameters()}
    assert not backbone & decoder
    assert backbone | decoder == {id(parameter) for parameter in model.parameters()}
    assert {id(p) for p in model.backbone.parameters()} == backbone


@pytest.mark.parametrize("seed", range(5))
def test_training_starts_alive(seed: int, small_spec: ModelSpec) -> None:
    torch.manual_seed(seed)
    output = build_model(small_spec)(torch.randn(2, 3, 64, 64) * 3)
    assert output.min() > 0
    assert output.std() > 1e-3


def test_a_few_steps_lower_the_loss(small_spec: ModelSpec) -> None:
    model = build_model(small_spec)
    images = torch.randn(2, 3, 64, 64)
    target = torch.linspace(1, 0, 64).view(1, 64, 1).expand(2, 64, 64)
    valid = torch.ones_like(target, dtype=torch.bool)
    optimiser = torch.optim.AdamW(model.parameters(), lr=2e-3)
    losses = []
    for _ in range(30):
        loss = depth_loss(model(images), target, valid)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


def test_predictions_are_float32_under_autocast(small_spec: ModelSpec) -> None:
    model, images = build_model(small_spec).eval(), torch.randn(1, 3, 64, 64)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        output = model(images)
    assert output.dtype == torch.float32
    assert output.unique().numel() > 3000  # bfloat16 would leave some hundred values
    torch.testing.assert_close(output, model(images), rtol=0.05, atol=0.01)


def test_channels_last_gives_the_same_output(small_spec: ModelSpec) -> None:
    model, images = build_model(small_spec).eval(), torch.randn(2, 3, 64, 96)
    plain = model(images)
    model.to(memory_format=torch.channels_last)
    images = images.to(memory_format=torch.channels_last)
    torch.testing.assert_close(model(images), plain, rtol=1e-4, atol=1e-5)


def test_images_of_a_batch_do_not_influence_each_other(small_spec: ModelSpec) -> None:
    model, images = build_model(small_spec).eval(), torch.randn(3, 3, 64, 64)
    torch.testing.assert_close(model(images)[1], model(images[1:2])[0], rtol=1e-4, atol=1e-5)


def compiled_agrees(model: nn.Module, images: torch.Tensor) -> None:
    torch._dynamo.reset()
    compiled = torch.compile(model, fullgraph=True, backend="aot_eager")
    output = compiled(images)
    torch.testing.assert_close(output, model(images), rtol=1e-4, atol=1e-5)
    output.sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
def test_the_tiny_variant_compiles_as_one_graph() -> None:
    compiled_agrees(build_model(VARIANTS["dpt-tiny"]), torch.randn(1, 3, 64, 96))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
@pytest.mark.parametrize("name", ["dpt-base", "dpt-hybrid"])
def test_the_variants_of_the_paper_compile_as_one_graph(name: str) -> None:
    compiled_agrees(build_model(VARIANTS[name]), torch.randn(1, 3, 64, 96))
