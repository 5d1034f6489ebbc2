from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from timm.layers.std_conv import StdConv2dSame

from dpt_bench.model.build import build_model
from dpt_bench.model.inference import for_inference
from dpt_bench.model.spec import ModelSpec


@pytest.mark.parametrize("formula", ["std_plus_eps", "var_plus_eps"])
@pytest.mark.parametrize("size", [(32, 64), (96, 64)])
def test_hybrids_give_the_same_output_with_plain_convolutions(
    formula: str, size: tuple[int, int], micro: dict[str, ModelSpec], lively: Callable
) -> None:
    model = lively(build_model(micro["micro-hybrid"].model_copy(update={"weight_standardization": formula})))
    before = {key: value.clone() for key, value in model.state_dict().items()}
    fixed = for_inference(model)
    assert not any(isinstance(module, StdConv2dSame) for module in fixed.modules())
    images = torch.randn(2, 3, *size)
    with torch.no_grad():
        wanted, found = model(images), fixed(images)
    assert (found - wanted).abs().max() < 1e-5 * wanted.abs().max()
    assert all(torch.equal(value, model.state_dict()[key]) for key, value in before.items())


def test_the_dtype_stays(micro: dict[str, ModelSpec]) -> None:
    fixed = for_inference(build_model(micro["micro-hybrid"]).double())
    assert {parameter.dtype for parameter in fixed.parameters()} == {torch.float64}


def test_other_networks_come_back_as_they_are(small_spec: ModelSpec) -> None:
    model = build_model(small_spec)
    assert for_inference(model) is model
    assert not model.training
