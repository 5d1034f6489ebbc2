from __future__ import annotations

import pytest
import torch
from pydantic import ValidationError

from dpt_bench.core.errors import UnknownNameError
from dpt_bench.core.kinds import DepthKind
from dpt_bench.model.build import empty_model
from dpt_bench.model.spec import ModelSpec
from dpt_bench.model.variants import VARIANTS, variant_spec

# Millions of parameters: those of the released files less the ImageNet head and norm, the unused fusion unit and the
# auxiliary layer, which our networks do not carry (dpt-models-and-losses.md, 1.7).
MILLIONS = {"dpt-base": 109.70, "dpt-large": 341.85, "dpt-hybrid": 121.20, "midas-v21": 104.18, "dpt-tiny": 1.58}


@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_builds_and_survives_json(name: str) -> None:
    spec = VARIANTS[name]
    assert ModelSpec.model_validate_json(spec.model_dump_json()) == spec
    model = empty_model(spec)
    assert model.spec == spec
    has_batch_norm = spec.batch_norm or spec.decoder == "midas_v21" or spec.backbone.startswith("conv_hybrid")
    assert bool(list(model.named_buffers())) is has_batch_norm


@pytest.mark.parametrize(("name", "millions"), MILLIONS.items())
def test_sizes_are_those_of_the_paper(name: str, millions: float) -> None:
    count = sum(parameter.numel() for parameter in empty_model(VARIANTS[name]).parameters())
    assert count / 1e6 == pytest.approx(millions, abs=0.005)


def test_fine_tuned_variants_predict_metric_depth() -> None:
    for name in ("dpt-hybrid-nyu", "dpt-hybrid-kitti"):
        assert VARIANTS[name].kind is DepthKind.METRIC_DEPTH
        assert VARIANTS[name].invert


def test_unknown_variants_are_named_with_their_neighbours() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'dpt-base'"):
        variant_spec("dpt_base")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_classes": 3}, "num_classes is set for segmentation"),
        ({"head": "segmentation"}, "num_classes is set for segmentation"),
        ({"hooks": (3, 1)}, "hooks must ascend"),
        ({"readout": "mean"}, "'ignore', 'add' or 'project'"),
        ({"train_size": 100}, "multiple of 32"),
        ({"depth": 3}, "Extra inputs"),
    ],
)
def test_wrong_specs_are_refused(change: dict[str, object], message: str) -> None:
    fields = {"backbone": "vit_base", "widths": (1, 1, 1, 1)} | change
    with pytest.raises(ValidationError, match=message):
        ModelSpec.model_validate(fields)


def test_an_empty_model_takes_no_memory() -> None:
    assert {value.device for value in empty_model(VARIANTS["dpt-large"]).state_dict().values()} == {
        torch.device("meta")
    }


@pytest.mark.parametrize(
    ("kind", "scale", "shift", "invert", "wanted"),
    [
        ("metric_depth", 1.0, 0.0, False, "metric_depth"),
        ("metric_depth", 0.0003, 0.1378, True, "affine_disparity"),
        ("metric_depth", 0.5, 0.0, True, "scale_invariant_disparity"),
        ("metric_depth", 1.0, 0.0, True, "metric_disparity"),
        ("metric_depth", 0.5, 0.0, False, "scale_invariant_depth"),
        ("metric_disparity", 1.0, 0.5, True, "affine_depth"),
        ("affine_disparity", 2.0, 0.0, False, "affine_disparity"),
    ],
)
def test_what_the_heads_own_output_means(kind: str, scale: float, shift: float, invert: bool, wanted: str) -> None:
    change = {"kind": DepthKind(kind), "scale": scale, "shift": shift, "invert": invert}
    assert VARIANTS["dpt-base"].model_copy(update=change).head_kind is DepthKind(wanted)
