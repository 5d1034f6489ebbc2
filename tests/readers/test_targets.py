"""Stored numbers become values with what is invalid as NaN."""

from __future__ import annotations

import numpy as np
import pytest

from dpt_bench.core.catalog import RECIPES
from dpt_bench.core.kinds import DepthKind
from dpt_bench.core.recipe import TargetFacts
from dpt_bench.readers._targets import camera_for, depth_map

NAN = np.nan


def facts(**changes: object) -> TargetFacts:
    return TargetFacts.model_validate({"kind": DepthKind.METRIC_DEPTH, "format": "png16", **changes})


def test_scale_markers_and_range() -> None:
    stored = np.array([[0, 256, 512], [65535, 1024, 25600]], np.uint16)
    result = depth_map(stored, facts(scale=1 / 256, invalid=(65535.0,), valid_range=(1.5, 50.0)))
    np.testing.assert_array_equal(result.values, [[NAN, NAN, 2], [NAN, 4, NAN]])
    np.testing.assert_array_equal(result.valid, [[False, False, True], [False, True, False]])
    assert result.values.dtype == np.float32
    assert result.sky is None


def test_what_is_not_finite_or_not_positive_is_invalid() -> None:
    stored = np.array([[NAN, np.inf, -np.inf, -1.0, 0.0, 2.0]], np.float32)
    assert depth_map(stored, facts()).valid.tolist() == [[False, False, False, False, False, True]]
    affine = depth_map(stored, facts(kind=DepthKind.AFFINE_DISPARITY))
    assert affine.valid.tolist() == [[False, False, False, True, True, True]]


@pytest.mark.parametrize(("policy", "valid"), [("infinity", True), ("minimum", True), ("invalid", False)])
def test_sky_follows_the_policy_and_loses_its_number(policy: str, valid: bool) -> None:
    stored = np.array([[10000.0, 3.0]], np.float32)
    result = depth_map(stored, facts(sky_policy=policy), sky=stored > 1000, mask=np.array([[False, True]]))
    assert result.valid.tolist() == [[valid, True]]
    np.testing.assert_array_equal(result.values, [[NAN, 3.0]])


def test_offset_and_mask() -> None:
    stored = np.array([[0, 100, 255]], np.uint8)
    result = depth_map(
        stored, facts(kind=DepthKind.AFFINE_DISPARITY, scale=-1.0), offset=255.0, mask=np.array([[True, True, False]])
    )
    np.testing.assert_array_equal(result.values, [[255, 155, NAN]])


def test_the_stored_array_is_left_alone() -> None:
    stored = np.array([[1.0, 0.0]], np.float32)
    depth_map(stored, facts(scale=2.0))
    assert stored.tolist() == [[1.0, 0.0]]


def test_a_camera_belongs_to_its_image_size() -> None:
    recipe = RECIPES.load("tartanair")
    camera = camera_for(recipe, 480, 640)
    assert camera is not None
    assert (camera.fx, camera.baseline_m) == (320.0, 0.25)
    assert camera_for(recipe, 240, 320) is None
    assert camera_for(RECIPES.load("redweb"), 480, 640) is None
