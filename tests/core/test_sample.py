from __future__ import annotations

import numpy as np
import pytest

from dpt_bench.core.errors import SampleError
from dpt_bench.core.kinds import DepthKind
from dpt_bench.core.sample import DepthMap, LabelMap, OrdinalPairs, Sample, target_shape


def depth(height: int, width: int) -> DepthMap:
    values = np.ones((height, width), np.float32)
    return DepthMap(values, DepthKind.METRIC_DEPTH, np.ones((height, width), bool))


def test_image_and_target_must_share_a_shape() -> None:
    with pytest.raises(SampleError, match=r"\(4, 6\).*\(3, 6\)") as caught:
        Sample("a", np.zeros((4, 6, 3), np.uint8), depth(3, 6), ("a.png",))
    assert caught.value.reason == "shape-mismatch"


@pytest.mark.parametrize(
    "image", [np.zeros((4, 6), np.uint8), np.zeros((4, 6, 4), np.uint8), np.zeros((4, 6, 3), np.float32)]
)
def test_an_image_is_rgb_uint8(image: np.ndarray) -> None:
    with pytest.raises(SampleError) as caught:
        Sample("a", image, depth(4, 6), ("a.png",))
    assert caught.value.reason == "bad-image"


def test_a_depth_map_needs_masks_of_its_shape() -> None:
    with pytest.raises(SampleError):
        DepthMap(np.ones((4, 6), np.float32), DepthKind.METRIC_DEPTH, np.ones((4, 5), bool))


def test_ordinal_pairs_have_no_shape() -> None:
    assert target_shape(OrdinalPairs(np.zeros((1, 2, 2)), np.ones(1, bool))) is None
    assert target_shape(LabelMap(np.zeros((4, 6), np.uint8))) == (4, 6)
