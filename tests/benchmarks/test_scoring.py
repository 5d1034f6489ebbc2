from __future__ import annotations

import time

import numpy as np
import pytest

from dpt_bench.alignment import fit_scale_and_shift
from dpt_bench.core.kinds import DepthKind
from dpt_bench.core.sample import DepthMap, OrdinalPairs
from dpt_bench.core.suite import ResizeRule, SuiteDataset
from dpt_bench.resize import resize_prediction
from dpt_bench.scoring import score, score_pairs

SIZES = [
    ("NYU", 480, 640, 0.75, (288, 384)),
    ("KITTI", 375, 1242, 0.18, (384, 1280)),
    ("ETH3D", 4032, 6048, 0.3, (256, 384)),
]
RULE = ResizeRule(side="longer")


@pytest.mark.parametrize(("name", "height", "width", "share", "size"), SIZES)
def test_alignment(name: str, height: int, width: int, share: float, size: tuple[int, int], compare) -> None:
    generator = np.random.default_rng(0)
    prediction = generator.random((height, width), np.float32) * 1000
    target = (0.001 * prediction + generator.random((height, width), np.float32) * 0.1 + 0.05).astype(np.float32)
    valid = generator.random((height, width)) < share

    def lstsq() -> np.ndarray:
        seen = prediction[valid]
        return np.linalg.lstsq(np.stack([seen, np.ones_like(seen)], 1), target[valid], rcond=None)[0]

    fit = fit_scale_and_shift(prediction, target, valid)
    np.testing.assert_allclose([fit.scale, fit.shift], lstsq(), rtol=1e-3)
    ours = lambda: fit_scale_and_shift(prediction, target, valid)  # noqa: E731
    assert compare(f"scale and shift, {name} size", ours, "np.linalg.lstsq, float32", lstsq, rounds=3) > 0


@pytest.mark.parametrize(("name", "height", "width", "share", "size"), SIZES)
def test_alignment_and_metrics(
    name: str, height: int, width: int, share: float, size: tuple[int, int], compare
) -> None:
    """The whole of an image's score, the prediction's enlargement included on both sides; the aim is 5, better 10."""
    generator = np.random.default_rng(0)
    depth_m = generator.uniform(1, 60, (height, width)).astype(np.float32)
    valid = generator.random((height, width)) < share
    prediction = (1000 * generator.random(size)).astype(np.float32)
    target = DepthMap(np.where(valid, depth_m, np.float32(np.nan)), DepthKind.METRIC_DEPTH, valid)
    metrics = ("absrel", "delta_above_1_25", "rmse")
    protocol = SuiteDataset(recipe="some_set", split="test", metrics=metrics, resize=RULE, cap_m=72.0)

    def full_maps() -> list[float]:
        """As evaluation code is commonly written: lstsq, then full maps, then a masked pass for each metric."""
        full = resize_prediction(prediction, (height, width), "bilinear")
        seen = full[valid]
        scale, shift = np.linalg.lstsq(np.stack([seen, np.ones_like(seen)], 1), 1 / depth_m[valid], rcond=None)[0]
        depth = 1 / np.maximum(full * scale + shift, 1 / 72)
        absrel = np.mean(np.abs(depth[valid] - depth_m[valid]) / depth_m[valid])
        ratio = np.maximum(depth[valid] / depth_m[valid], depth_m[valid] / depth[valid])
        return [absrel, np.mean(ratio > 1.25), np.sqrt(np.mean((depth[valid] - depth_m[valid]) ** 2))]

    ours = lambda: score(target, prediction, DepthKind.AFFINE_DISPARITY, protocol)  # noqa: E731
    np.testing.assert_allclose(list(ours().values.values()), full_maps(), rtol=1e-2)
    what = f"alignment and three metrics, {name} size"
    rounds = 3 if height * width > 1_000_000 else 40
    assert compare(what, ours, "lstsq on full maps, separate metrics", full_maps, rounds=rounds) > 0


def test_pairs(compare) -> None:
    """DIW has 74,441 of them; the baseline enlarges each prediction to its image to look at two of its pixels."""
    generator = np.random.default_rng(0)
    prediction = generator.random((256, 384)).astype(np.float32)
    pairs = OrdinalPairs(np.array([[[30.0, 40.0], [200.0, 10.0]]]), np.array([True]))
    diw = SuiteDataset(recipe="some_set", split="test", metrics=("whdr",), resize=RULE, alignment="none")

    def enlarged() -> bool:
        full = resize_prediction(prediction, (375, 500), "bilinear")
        return bool(full[40, 30] < full[10, 200])

    ours = lambda: score_pairs(pairs, prediction, DepthKind.AFFINE_DISPARITY, (375, 500), diw)  # noqa: E731
    assert compare("an ordered pair, DIW", ours, "after enlarging the prediction", enlarged, rounds=200) > 0
    start = time.perf_counter()
    for _ in range(1000):
        ours()
    print(f"\n74,441 pairs would take {74.441 * (time.perf_counter() - start):.1f} s")
