from __future__ import annotations

import numpy as np
import pytest

from dpt_bench.alignment import fit_scale_and_shift


@pytest.mark.parametrize(
    ("name", "height", "width", "share"),
    [("NYU", 480, 640, 0.75), ("KITTI", 375, 1242, 0.18), ("ETH3D / 4", 2016, 3024, 0.3)],
)
def test_alignment(name: str, height: int, width: int, share: float, compare) -> None:
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
    assert compare(f"scale and shift, {name} size", ours, "np.linalg.lstsq, float32", lstsq) > 0
