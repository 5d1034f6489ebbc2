from __future__ import annotations

import numpy as np
import pytest

from dpt_bench.core.errors import SampleError
from dpt_bench.stereo import join_eyes, split_eyes
from dpt_bench.stereo.packing import PACKINGS


@pytest.fixture
def eyes() -> tuple[np.ndarray, np.ndarray]:
    rows, columns = np.mgrid[:24, :32]
    first = np.stack([rows * 8, columns * 6, rows + columns], axis=2).astype(np.uint8)
    return first, first[:, ::-1].copy()


@pytest.mark.parametrize("packing", PACKINGS)
def test_eyes_come_out_in_order_and_at_their_size(eyes, packing) -> None:
    found = split_eyes(join_eyes(*eyes, packing), packing)
    for eye, expected in zip(found, eyes, strict=True):
        assert eye.shape == expected.shape
        assert eye.dtype == np.uint8
        difference = np.abs(eye.astype(int) - expected)
        assert difference.max() <= (0 if packing.startswith("full") else 8)


def test_full_pictures_are_as_large_as_both_eyes_and_half_ones_as_large_as_one(eyes) -> None:
    shapes = {packing: join_eyes(*eyes, packing).shape[:2] for packing in PACKINGS}
    assert shapes == {"full-sbs": (24, 64), "half-sbs": (24, 32), "full-tb": (48, 32), "half-tb": (24, 32)}


@pytest.mark.parametrize(("packing", "shape"), [("full-sbs", (8, 7, 3)), ("half-tb", (7, 8, 3))])
def test_a_picture_without_a_middle_is_refused(packing, shape) -> None:
    with pytest.raises(SampleError) as raised:
        split_eyes(np.zeros(shape, np.uint8), packing)
    assert raised.value.reason == "odd-size"
