from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import distributed, nn

from dpt_bench.core.errors import UsageError
from dpt_bench.losses import depth_loss
from dpt_bench.model.build import build_model, empty_model
from dpt_bench.model.dpt import TrainingLogits
from dpt_bench.model.inference import for_inference
from dpt_bench.model.spec import ModelSpec
from dpt_bench.model.variants import VARIANTS


@pytest.mark.parametrize("size", [(32, 32), (64, 96), (160, 32)])
@pytest.mark.parametrize("readout", ["ignore", "add", "project"])
def test_output_has_the_size_of_the_image(size: tuple[int, int], readout: str, small_spec: ModelSpec) -> None:
    model = build_model(small_spec.model_copy(update={"readout": readout}))
    assert model(torch.randn(2, 3, *size)).shape == (2, *size)


@pytest.mark.parametrize("name", ["dpt-tiny", "dpt-base", "midas-v21"])
@pytest.mark.parametrize("size", [(100, 64), (64, 48)])
def test_another_size_is_refused_in_words(name: str, size: tuple[int, int]) -> None:
    with torch.device("meta"), pytest.raises(UsageError, match=f"multiples of 32, got {size[0]} x {size[1]}"):
        empty_model(VARIANTS[name])(torch.empty(1, 3, *size))


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
    answer = model(torch.randn(2, 3, 64, 64))
    outputs = answer if isinstance(answer, TrainingLogits) else (answer,)
    sum((output * torch.randn_like(output)).sum() for output in outputs).backward()
    dead = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert dead == []


def segmentation(spec: ModelSpec) -> ModelSpec:
    return spec.model_copy(update={"head": "segmentation", "num_classes": 5, "batch_norm": True})


def test_segmentation_answers_twice_in_training_and_once_after(small_spec: ModelSpec) -> None:
    model = build_model(segmentation(small_spec))
    images = torch.randn(2, 3, 64, 96)
    answer = model(images)
    assert isinstance(answer, TrainingLogits)
    assert answer.logits.shape == answer.auxiliary.shape == (2, 5, 64, 96)
    assert not torch.allclose(answer.logits, answer.auxiliary, atol=0.1)
    logits = model.eval()(images)
    assert isinstance(logits, torch.Tensor)
    assert logits.shape == (2, 5, 64, 96)


def test_the_auxiliary_head_reads_the_penultimate_fusion_block(small_spec: ModelSpec) -> None:
    model = build_model(segmentation(small_spec))
    seen: dict[str, torch.Tensor] = {}
    model.fusion.blocks[1].register_forward_hook(lambda *call: seen.update(penultimate=call[2]))
    model.auxiliary.register_forward_pre_hook(lambda _, inputs: seen.update(read=inputs[0]))
    model(torch.randn(2, 3, 64, 96))
    assert seen["read"] is seen["penultimate"]
    assert seen["read"].shape[-2:] == (16, 24)


class Keep:
    def __init__(self, saved: list[torch.Tensor]) -> None:
        self.saved = saved

    def __call__(self, value: torch.Tensor) -> torch.Tensor:
        self.saved.append(value)
        return value


@pytest.mark.parametrize("change", [{}, {"head": "segmentation", "num_classes": 5, "batch_norm": True}])
def test_gradient_checkpointing_changes_no_number(change: dict[str, object], small_spec: ModelSpec) -> None:
    model = build_model(small_spec.model_copy(update=change))
    images, gradients, outputs = torch.randn(2, 3, 64, 96), [], []
    kept: list[int] = []
    for enabled in (False, True):
        model.checkpoint_gradients(enabled=enabled)
        model.zero_grad()
        torch.manual_seed(1)  # of the dropout
        saved: list[torch.Tensor] = []
        with torch.autograd.graph.saved_tensors_hooks(Keep(saved), lambda value: value):
            answer = model(images)
            total = sum(part.square().sum() for part in answer) if isinstance(answer, tuple) else answer.square().sum()
        total.backward()
        outputs.append(total.detach())
        gradients.append([parameter.grad.clone() for parameter in model.parameters()])
        kept.append(sum(value.numel() for value in saved))
    assert torch.equal(*outputs)
    assert all(map(torch.equal, *gradients))
    assert kept[1] < kept[0]


@pytest.mark.parametrize("head", ["depth", "segmentation"])
def test_distributed_training_finds_no_unused_parameter(head: str, small_spec: ModelSpec, tmp_path: Path) -> None:
    distributed.init_process_group("gloo", init_method=f"file://{tmp_path / 'store'}", rank=0, world_size=1)
    try:
        model = build_model(segmentation(small_spec) if head == "segmentation" else small_spec)
        parallel = nn.parallel.DistributedDataParallel(model)
        for _ in range(2):  # the second forward raises if a parameter had no gradient in the first backward
            answer = parallel(torch.randn(2, 3, 64, 64))
            (sum(part.sum() for part in answer) if head == "segmentation" else answer.sum()).backward()
    finally:
        distributed.destroy_process_group()


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
@pytest.mark.parametrize("name", ["dpt-base", "dpt-hybrid", "dpt-large", "midas-v21"])
def test_the_variants_of_the_paper_compile_as_one_graph(name: str) -> None:
    compiled_agrees(build_model(VARIANTS[name]), torch.randn(1, 3, 64, 96))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning")
@pytest.mark.parametrize("name", ["dpt-base", "dpt-hybrid", "dpt-large", "midas-v21"])
def test_inductor_computes_what_the_network_computes(name: str) -> None:
    torch._dynamo.reset()
    model, images = for_inference(build_model(VARIANTS[name])), torch.randn(1, 3, 64, 96)
    with torch.no_grad():
        output, wanted = torch.compile(model, fullgraph=True)(images), model(images)
    assert (output - wanted).abs().max() < 1e-4 * wanted.abs().max()
