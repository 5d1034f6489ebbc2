"""The protocols of Marigold, MoGe and Depth Anything, and DPT's ablation metric, beside plain numpy of their own."""

from __future__ import annotations

import numpy as np
import pytest

from dpt_bench.core.catalog import SUITES
from dpt_bench.core.errors import UsageError
from dpt_bench.core.kinds import DepthKind
from dpt_bench.scoring import check_predictor, check_target, required_kind, score
from dpt_bench.scoring.pixels import fit_places

SEEDS = range(6)


def entry(suite: str, recipe: str):
    return next(one for one in SUITES.load(suite).datasets if one.recipe == recipe)


def image(seed: int, height: int = 480, width: int = 640, deepest_m: float = 12.0):
    """Depth with holes, and a prediction at the network's size that is related to it."""
    generator = np.random.default_rng(seed)
    depth_m = np.repeat(np.geomspace(deepest_m, 0.8, height)[:, None], width, axis=1)
    depth_m = (depth_m * generator.uniform(0.8, 1.25, depth_m.shape)).astype(np.float32)
    valid = generator.random(depth_m.shape) < 0.6
    small = depth_m[:: height // 40, :: width // 60].astype(np.float64)
    return depth_m, valid, small * generator.uniform(0.7, 1.4, small.shape)


def lstsq(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    scale, shift = np.linalg.lstsq(np.stack([x, np.ones_like(x)], 1), y, rcond=None)[0]
    return scale, shift


def two(depth: np.ndarray, truth: np.ndarray, names: tuple[str, str] = ("absrel", "delta_1_25")) -> dict[str, float]:
    inside = (depth < 1.25 * truth) & (truth < 1.25 * depth)
    return {names[0]: np.mean(np.abs(depth - truth) / truth), names[1]: np.mean(inside)}


@pytest.mark.parametrize("seed", SEEDS)
def test_marigold_on_nyu(seed: int, make_target, oracle) -> None:
    depth_m, valid, prediction = image(seed)
    scored = score(make_target(depth_m, valid), prediction, DepthKind.AFFINE_DEPTH, entry("marigold", "nyu"))
    full = oracle.bilinear(prediction, depth_m.shape)
    mask = valid & (depth_m > 1e-3) & (depth_m < 10)
    mask[:45] = mask[471:] = mask[:, :41] = mask[:, 601:] = False
    truth = depth_m.astype(np.float64)[mask]
    scale, shift = lstsq(full[mask], truth)
    expected = two(np.clip(scale * full[mask] + shift, 1e-3, 10), truth)
    assert scored.values == pytest.approx(expected, rel=1e-9)
    assert scored.n_valid == mask.sum() < (valid & (depth_m < 10)).sum()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("size", [(1300, 2100), (600, 900), (2100, 1300)])
def test_marigold_on_eth3d_fits_on_the_pixels_that_torch_picks(seed: int, size, make_target, oracle) -> None:
    import torch

    depth_m, valid, prediction = image(seed, *size, deepest_m=60)
    scored = score(make_target(depth_m, valid), prediction, DepthKind.AFFINE_DEPTH, entry("marigold", "eth3d"))
    full = oracle.bilinear(prediction, depth_m.shape)
    seen = valid
    picked = [full, depth_m.astype(np.float64)]
    factor = min(1024 / side for side in size)
    if factor < 1:
        down = torch.nn.Upsample(scale_factor=factor, mode="nearest")
        *picked, seen = (
            down(torch.as_tensor(one.astype(np.float64))[None, None])[0, 0].numpy() for one in (*picked, valid)
        )
    scale, shift = lstsq(*(one[seen.astype(bool)] for one in picked))
    assert (scored.scale, scored.shift) == pytest.approx((scale, shift), rel=1e-9)
    assert scored.values == pytest.approx(
        two(np.clip(scale * full[valid] + shift, 1e-6, 1000), depth_m.astype(np.float64)[valid]), rel=1e-9
    )
    assert scored.n_valid == valid.sum()


def test_what_a_reduced_fit_sees() -> None:
    pixels = np.arange(2016 * 3024)
    assert fit_places(pixels, (2016, 3024), 1024).sum() == 682 * 1024
    assert fit_places(pixels[:100], (10, 10), 10).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_marigold_aligns_in_the_space_of_the_prediction(seed: int, make_target, oracle) -> None:
    depth_m, valid, prediction = image(seed)
    nyu = entry("marigold", "nyu")
    scored = score(make_target(depth_m, valid), 1 / prediction, DepthKind.AFFINE_DISPARITY, nyu)
    settled = nyu.for_prediction(DepthKind.AFFINE_DISPARITY)
    assert (settled.space, required_kind(settled)) == ("disparity", DepthKind.AFFINE_DISPARITY)
    assert nyu.for_prediction(DepthKind.METRIC_DEPTH).space == "depth"
    full = oracle.bilinear(1 / prediction, depth_m.shape)
    mask = valid & (depth_m > 1e-3) & (depth_m < 10)
    mask[:45] = mask[471:] = mask[:, :41] = mask[:, 601:] = False
    truth = depth_m.astype(np.float64)[mask]
    scale, shift = lstsq(full[mask], 1 / truth)
    assert scored.values == pytest.approx(two(1 / np.maximum(scale * full[mask] + shift, 0.1), truth), rel=1e-9)
    check_predictor("any", DepthKind.AFFINE_DEPTH, nyu)
    check_predictor("any", DepthKind.AFFINE_DISPARITY, nyu)
    check_target(DepthKind.METRIC_DEPTH, nyu)
    with pytest.raises(UsageError, match="ordinal"):
        check_predictor("any", DepthKind.ORDINAL, nyu)
    with pytest.raises(UsageError, match="aligned disparity may be zero or negative"):
        check_target(DepthKind.METRIC_DEPTH, nyu.model_copy(update={"cap_m": None}))


@pytest.mark.parametrize("seed", SEEDS)
def test_moge(seed: int, make_target, oracle) -> None:
    depth_m, valid, prediction = image(seed, deepest_m=50)
    depth_m[3, 3:9] = 1e6  # sky: beyond 1000 times the first percentile
    valid[3, 3:9] = True
    disparity = 1 / prediction
    disparity[:4] -= 0.3
    scored = score(make_target(depth_m, valid), disparity, DepthKind.AFFINE_DISPARITY, entry("moge", "nyu"))
    full = oracle.bilinear(disparity, depth_m.shape)
    mask = valid & (depth_m <= 1000 * np.quantile(depth_m[valid], 0.01))
    assert 0 < (valid & ~mask).sum() <= 6
    truth = depth_m.astype(np.float64)[mask]
    scale, shift = lstsq(full[mask], 1 / truth)
    aligned = scale * full[mask] + shift
    assert (aligned < 1 / truth.max()).any(), "the example must need the floor"
    assert scored.values == pytest.approx(two(1 / np.maximum(aligned, 1 / truth.max()), truth), rel=1e-9)
    as_disparity = make_target(1 / depth_m, valid, DepthKind.METRIC_DISPARITY)
    again = score(as_disparity, disparity, DepthKind.AFFINE_DISPARITY, entry("moge", "nyu"))
    assert again.values == pytest.approx(scored.values, rel=1e-4)
    assert again.n_valid == scored.n_valid


@pytest.mark.parametrize("seed", SEEDS)
def test_depth_anything(seed: int, make_target, oracle) -> None:
    depth_m, valid, prediction = image(seed, deepest_m=100)
    scored = score(
        make_target(depth_m, valid), 1 / prediction, DepthKind.AFFINE_DISPARITY, entry("depth-anything", "sintel")
    )
    full = oracle.bilinear(1 / prediction, depth_m.shape)
    mask = valid & (depth_m < 72)
    truth = 1 / depth_m.astype(np.float64)[mask]
    scale, shift = lstsq(full[mask], truth)
    names = ("absrel_disparity", "delta_1_25_disparity")
    assert scored.values == pytest.approx(two(scale * full[mask] + shift, truth, names), rel=1e-9)


@pytest.mark.parametrize(("factor", "shift"), [(1.0, 0.0), (-0.0 + 3.5, -40.0)])
def test_the_ablation_metric_knows_no_zero_and_no_unit_of_the_target(factor, shift, make_target, oracle) -> None:
    depth_m, valid, prediction = image(0)
    truth = 1 / depth_m.astype(np.float64)
    protocol = entry("curated3-val", "redweb")
    target = make_target(factor * truth + shift, valid, DepthKind.AFFINE_DISPARITY)
    scored = score(target, 1 / prediction, DepthKind.AFFINE_DISPARITY, protocol)
    full = oracle.bilinear(1 / prediction, depth_m.shape)
    scale, offset = lstsq(full[valid], truth[valid])
    deviation = np.abs(scale * full[valid] + offset - truth[valid]).sum()
    expected = deviation / (truth[valid] - truth[valid].min()).sum()
    assert scored.values["deviation_disparity"] == pytest.approx(expected, rel=1e-4)  # the target is float32
    assert 0.01 < expected < 1


def test_a_flat_target_has_no_deviation(make_target) -> None:
    target = make_target(np.full((4, 5), 3.0), kind=DepthKind.AFFINE_DISPARITY)
    scored = score(target, np.eye(4), DepthKind.AFFINE_DISPARITY, entry("curated3-val", "redweb"))
    assert scored.skipped == "undefined-score"
