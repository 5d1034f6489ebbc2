from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from dpt_bench.losses import (
    LEAST_SQUARES_GIST,
    PAPER,
    PUBLIC_GIST,
    DepthLossOptions,
    _kept,
    align_least_squares,
    depth_loss,
    depth_loss_per_image,
    gradient_matching_loss,
    log_loss,
    normalise_median_mad,
    scale_and_shift_invariant_loss,
)

FOLDER = Path(__file__).parent / "golden"
GOLDEN = json.loads((FOLDER / "loss_golden.json").read_text())
CASES = [name for name in GOLDEN if not name.startswith("_")]
ALIGNMENTS = {
    "lsq": DepthLossOptions(alignment="least_squares"),
    "mad": DepthLossOptions(),
    "mad_avgmedian": DepthLossOptions(median="mean"),
    "mad_gist_zeros": DepthLossOptions(median="gist_zeros"),
}
VARIANTS = [
    PAPER,
    PUBLIC_GIST,
    LEAST_SQUARES_GIST,
    replace(PUBLIC_GIST, median="gist_zeros", trim=0.0),
    replace(PAPER, median="mean", trim_denominator="kept"),
    replace(PAPER, reduction="batch"),
    replace(PAPER, trim_scope="batch"),
    replace(PAPER, alignment="least_squares", penalty="squared"),
]


@pytest.fixture(autouse=True)
def _alike_on_every_machine() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)


def load_oracle() -> ModuleType:
    spec = importlib.util.spec_from_file_location("loss_oracle", FOLDER / "loss_oracle.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


ORACLE = load_oracle()


def case_tensors(name: str) -> tuple[Tensor, Tensor, Tensor]:
    prediction, target, mask = (torch.from_numpy(array) for array in ORACLE.make(*GOLDEN[name]["args"]))
    return prediction, target, mask > 0


def draw(batch: int = 3, height: int = 12, width: int = 17, share: float = 0.7) -> tuple[Tensor, Tensor, Tensor]:
    target = torch.rand(batch, height, width, dtype=torch.float64)
    prediction = 2 * target + torch.rand_like(target) + 1
    return prediction, target, torch.rand(batch, height, width) < share


def golden_loss(key: str, tensors: tuple[Tensor, Tensor, Tensor]) -> Tensor | None:
    """The loss that a golden's name describes; None for names of other things."""
    alignment, _, rest = key.partition("/")
    if alignment not in ALIGNMENTS:
        return None
    chosen = {"alignment": ALIGNMENTS[alignment].alignment, "median": ALIGNMENTS[alignment].median}
    if rest.startswith("TOTAL"):
        return depth_loss(*tensors, replace(PAPER if "paper" in rest else PUBLIC_GIST, **chosen))
    term, _, scope = rest.partition("/")
    chosen |= {"reduction": scope, "trim_scope": scope}
    if term.startswith("grad"):
        denominator = {"scale": "scale", "full": "image"}[term.rpartition("_")[2]]
        return gradient_matching_loss(*tensors, DepthLossOptions(gradient_denominator=denominator, **chosen))
    chosen |= {
        "mse": {"penalty": "squared", "trim": 0.0},
        "mae_notrim": {"trim": 0.0},
        "trim20": {},
        "trim20_divU": {"trim_denominator": "kept"},
    }[term]
    return scale_and_shift_invariant_loss(*tensors, DepthLossOptions(**chosen))


@pytest.mark.golden
@pytest.mark.parametrize("case", CASES)
def test_every_variant_of_the_golden_numbers(case: str) -> None:
    tensors = case_tensors(case)
    compared = 0
    for key, wanted in GOLDEN[case].items():
        found = golden_loss(key, tensors)
        if found is not None:
            assert found.item() == pytest.approx(wanted, rel=1e-9), key
            compared += 1
    assert compared == 52


@pytest.mark.golden
@pytest.mark.parametrize("case", CASES)
def test_log_loss_and_least_squares_of_the_golden_numbers(case: str) -> None:
    prediction, target, valid = case_tensors(case)
    for focus in (0.5, 0.85):
        wanted = GOLDEN[case][f"silog_lam{focus}"]
        assert log_loss(prediction, target, valid, focus).item() == pytest.approx(wanted, rel=1e-9)
    aligned = align_least_squares(prediction, target, valid)
    for image in range(len(prediction)):
        scale, shift = GOLDEN[case][f"lsq_s_t[{image}]"]
        torch.testing.assert_close(
            aligned[image][valid[image]], scale * prediction[image][valid[image]] + shift, rtol=1e-9, atol=1e-9
        )


@pytest.mark.golden
def test_the_oracle_still_computes_the_golden_numbers() -> None:
    for name, case in ORACLE.CASES.items():
        for key, value in ORACLE.all_numbers(*ORACLE.make(*case)).items():
            assert value == pytest.approx(GOLDEN[name][key], rel=1e-9), key


def test_float32_is_close_to_float64() -> None:
    for case in CASES:
        tensors = case_tensors(case)
        narrow = (tensors[0].float(), tensors[1].float(), tensors[2])
        for options in VARIANTS:
            assert depth_loss(*narrow, options).dtype == torch.float32
            assert depth_loss(*narrow, options).item() == pytest.approx(depth_loss(*tensors, options).item(), rel=1e-4)


@pytest.mark.parametrize("options", VARIANTS)
def test_per_image_terms_average_to_the_loss(options: DepthLossOptions) -> None:
    tensors = draw()
    terms = depth_loss_per_image(*tensors, options)
    assert terms.shape == (3,)
    assert terms.mean().item() == pytest.approx(depth_loss(*tensors, options).item())


def test_without_gradient_weight_only_the_data_term_is_left() -> None:
    tensors = draw()
    both = depth_loss(*tensors)
    data = depth_loss(*tensors, replace(PAPER, gradient_weight=0.0))
    assert data.item() == pytest.approx(scale_and_shift_invariant_loss(*tensors).item())
    assert both.item() == pytest.approx(data.item() + 0.5 * gradient_matching_loss(*tensors).item())


@pytest.mark.parametrize("options", VARIANTS)
def test_gradients_agree_with_finite_differences(options: DepthLossOptions) -> None:
    prediction, target, valid = draw(2, 7, 9)
    prediction.requires_grad_()
    assert torch.autograd.gradcheck(lambda p: depth_loss(p, target, valid, options), (prediction,), eps=1e-7, atol=1e-4)


def test_the_gradient_of_the_log_loss_agrees_with_finite_differences() -> None:
    prediction, target, valid = draw(2, 5, 6)
    prediction.requires_grad_()
    assert torch.autograd.gradcheck(lambda p: log_loss(p, target + 0.1, valid), (prediction,))


@settings(deadline=None, max_examples=25)
@given(
    seed=st.integers(0, 1000),
    scale=st.floats(0.01, 100),
    shift=st.floats(-100, 100),
    options=st.sampled_from([options for options in VARIANTS if options.median != "gist_zeros"]),
)
def test_scale_and_shift_of_the_prediction_change_nothing(
    seed: int, scale: float, shift: float, options: DepthLossOptions
) -> None:
    torch.manual_seed(seed)
    prediction, target, valid = draw()
    before = depth_loss(prediction, target, valid, options).item()
    assert depth_loss(scale * prediction + shift, target, valid, options).item() == pytest.approx(before, rel=1e-6)


@settings(deadline=None, max_examples=25)
@given(
    seed=st.integers(0, 1000),
    junk=st.sampled_from([float("nan"), float("inf"), -float("inf"), 1e30, -7.0]),
    options=st.sampled_from(VARIANTS),
)
def test_invalid_pixels_change_neither_loss_nor_gradient(seed: int, junk: float, options: DepthLossOptions) -> None:
    torch.manual_seed(seed)
    prediction, target, valid = draw()
    results = []
    for filler in (0.0, junk):
        leaf = torch.where(valid, prediction, filler).requires_grad_()
        loss = depth_loss(leaf, torch.where(valid, target, filler), valid, options)
        loss.backward()
        assert leaf.grad is not None
        assert not leaf.grad[~valid].any()
        results.append((loss.item(), leaf.grad))
    assert results[0][0] == results[1][0]
    assert torch.equal(results[0][1], results[1][1])
    assert torch.isfinite(results[1][1]).all()


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 1000), scale=st.floats(0.1, 10), shift=st.floats(-5, 5), options=st.sampled_from(VARIANTS))
def test_an_affine_copy_costs_nothing(seed: int, scale: float, shift: float, options: DepthLossOptions) -> None:
    torch.manual_seed(seed)
    _, target, valid = draw()
    if options.median == "gist_zeros":  # its median is not shift-invariant where pixels are invalid
        valid = torch.ones_like(valid)
    assert depth_loss(scale * target + shift, target, valid, options).item() < 1e-9


def test_a_mirrored_prediction_is_penalised_by_median_and_mad_but_not_by_least_squares() -> None:
    _, target, valid = draw()
    assert depth_loss(-target, target, valid).item() > 0.5
    assert depth_loss(-target, target, valid, LEAST_SQUARES_GIST).item() < 1e-9


def uninformative(kind: str) -> tuple[Tensor, Tensor, Tensor]:
    prediction, target, valid = draw(1)
    valid = torch.zeros_like(valid)
    if kind == "one valid":
        valid[0, 3, 4] = True
    if kind == "constant target":
        valid[:] = True
        target = torch.full_like(target, 0.25)
    return prediction, target, valid


@pytest.mark.parametrize("kind", ["none valid", "one valid", "constant target"])
@pytest.mark.parametrize("options", VARIANTS)
def test_images_without_information_cost_nothing(kind: str, options: DepthLossOptions) -> None:
    prediction, target, valid = uninformative(kind)
    prediction.requires_grad_()
    loss = depth_loss(prediction, target, valid, options)
    loss.backward()
    assert loss.item() == 0
    assert prediction.grad is not None
    assert torch.count_nonzero(prediction.grad) == 0


@pytest.mark.parametrize("options", [PAPER, LEAST_SQUARES_GIST])
def test_an_image_without_information_leaves_the_others_alone(options: DepthLossOptions) -> None:
    options = replace(options, reduction="image", trim_scope="image")
    good, empty = draw(1), uninformative("none valid")
    both = tuple(torch.cat(pair) for pair in zip(good, empty, strict=True))
    terms = depth_loss_per_image(*both, options)
    assert terms.tolist() == [pytest.approx(depth_loss(*good, options).item()), 0.0]


@pytest.mark.parametrize("count", [2, 3, 4, 5])
@pytest.mark.parametrize("options", VARIANTS)
def test_a_handful_of_valid_pixels_gives_finite_numbers(count: int, options: DepthLossOptions) -> None:
    prediction, target, valid = draw(1)
    valid = torch.zeros_like(valid)
    valid.view(-1)[:count] = True
    prediction.requires_grad_()
    loss = depth_loss(prediction, target, valid, options)
    loss.backward()
    assert torch.isfinite(loss)
    assert prediction.grad is not None
    assert torch.isfinite(prediction.grad).all()


@pytest.mark.parametrize("options", VARIANTS)
def test_a_constant_prediction_gives_finite_numbers(options: DepthLossOptions) -> None:
    _, target, valid = draw(1)
    prediction = torch.full_like(target, 0.3).requires_grad_()
    loss = depth_loss(prediction, target, valid, options)
    loss.backward()
    assert torch.isfinite(loss)
    assert prediction.grad is not None
    assert torch.isfinite(prediction.grad).all()


def test_trimming_drops_outliers_of_each_image() -> None:
    _, target, valid = draw(2)
    prediction = target.clone()
    rows = torch.randperm(target[0].numel())[: target[0].numel() // 12]
    prediction.view(2, -1)[:, rows] += 50
    options = DepthLossOptions(gradient_weight=0.0)
    trimmed = depth_loss(prediction, target, valid, options)
    plain = depth_loss(prediction, target, valid, replace(options, trim=0.0))
    assert trimmed < 0.5 * plain


def test_trimming_counts_exactly_where_residuals_are_equal() -> None:
    residuals = torch.tensor([1.0] * 6 + [2.0] * 4).view(1, 2, 5)
    valid = torch.ones_like(residuals, dtype=torch.bool)
    weights = _kept(residuals.flatten(1), valid.flatten(1), DepthLossOptions(trim=0.2))
    assert weights.sum().item() == pytest.approx(8)
    assert (weights * residuals.flatten(1)).sum().item() == pytest.approx(6 * 1 + 2 * 2)


@pytest.mark.parametrize("share", [1.0, 0.4])
@pytest.mark.parametrize("median", ["lower", "mean"])
def test_normalised_values_have_median_0_and_mean_deviation_1(share: float, median: str) -> None:
    values, _, valid = draw(3, share=share)
    normalised = normalise_median_mad(values, valid, median)
    for image, mask in zip(normalised, valid, strict=True):
        inside = np.sort(image[mask].numpy())
        middle = inside[(len(inside) - 1) // 2] if median == "lower" else np.median(inside)
        assert middle == pytest.approx(0, abs=1e-12)
        assert np.abs(inside).mean() == pytest.approx(1)
        assert not image[~mask].any()


def test_least_squares_recovers_scale_and_shift() -> None:
    _, target, valid = draw()
    aligned = align_least_squares((target - 0.3) / 1.7, target, valid)
    torch.testing.assert_close(aligned[valid], target[valid])


def test_least_squares_is_accurate_in_float32_on_a_large_offset() -> None:
    _, target, valid = draw()
    prediction = (0.1 * target + 1000).float()
    exact = align_least_squares(prediction.double(), target, valid)
    torch.testing.assert_close(
        align_least_squares(prediction, target.float(), valid).double(), exact, rtol=1e-3, atol=1e-3
    )


def test_everything_is_float32_under_autocast() -> None:
    prediction, target, valid = draw()
    plain = depth_loss(prediction.bfloat16().float(), target.float(), valid)
    with torch.autocast("cpu", torch.bfloat16):
        loss = depth_loss(prediction.bfloat16(), target.float(), valid)
        assert loss.dtype == torch.float32
        assert log_loss(prediction.bfloat16(), target.float() + 1, valid).dtype == torch.float32
    assert loss.item() == pytest.approx(plain.item(), rel=1e-5)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
@pytest.mark.parametrize("loss", [depth_loss, log_loss])
def test_the_losses_compile_as_one_graph(loss: Callable[..., Tensor]) -> None:
    torch._dynamo.reset()
    prediction, target, valid = draw()
    prediction.requires_grad_()
    compiled = torch.compile(loss, fullgraph=True, backend="aot_eager")(prediction, target + 1, valid)
    (gradient,) = torch.autograd.grad(compiled, prediction)
    (wanted,) = torch.autograd.grad(loss(prediction, target + 1, valid), prediction)
    torch.testing.assert_close(gradient, wanted)


def test_nothing_waits_for_the_device() -> None:
    """Tensors without values run through: no branch, index or shape depends on one."""
    prediction, target, valid = (tensor.to("meta") for tensor in draw())
    for options in VARIANTS:
        assert depth_loss(prediction, target, valid, options).shape == ()
    assert log_loss(prediction, target, valid).shape == ()
