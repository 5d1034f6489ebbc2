"""The `midas` protocol on real depth maps of KITTI, NYU and TUM, beside the independent implementation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dpt_bench.core.kinds import DepthKind
from dpt_bench.formats.images import decode_gray
from dpt_bench.scoring import score

SETS = {
    "kitti": ("kitti/depth/*.png", 256, 80.0, np.inf),
    "nyu": ("nyu/**/*.png", 1000, 10.0, 10.0),
    "tum": ("tum/*/depth/*.png", 5000, 10.0, np.inf),
}


@pytest.mark.parametrize("name", sorted(SETS))
def test_agrees_with_the_independent_implementation(name, samples: Path, oracle, make_protocol, make_target) -> None:
    pattern, units_per_metre, cap_m, farthest_m = SETS[name]
    files = sorted(samples.glob(pattern))
    assert files
    generator = np.random.default_rng(0)
    for file in files:
        depth_m = decode_gray(file.read_bytes()).astype(np.float32) / np.float32(units_per_metre)
        valid = depth_m > 0
        # The real disparity at a network's size, scaled, shifted and noisy.
        rows, columns = (
            np.linspace(0, side - 1, goal).astype(int) for side, goal in zip(depth_m.shape, (288, 384), strict=True)
        )
        filled = np.where(valid, 1 / np.maximum(depth_m, 0.5), 0.1)[np.ix_(rows, columns)]
        prediction = (900 * filled + 200 + generator.normal(0, 20, filled.shape)).astype(np.float32)
        protocol = make_protocol(cap_m=cap_m, target_range_m=(0.0, farthest_m))
        scored = score(make_target(depth_m, valid), prediction, DepthKind.AFFINE_DISPARITY, protocol)
        expected = oracle.midas_scores(prediction, depth_m, valid, cap_m=cap_m, farthest_m=farthest_m)
        assert scored.values == pytest.approx(expected, rel=1e-9, abs=1e-9)
        assert scored.flags == ()
        assert 0.0 < scored.values["absrel"] < 0.5
        assert scored.n_valid > 0.1 * depth_m.size
