"""Resize rules against the published transforms, predictions against torch, targets against arithmetic."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dpt_bench.core.errors import UsageError
from dpt_bench.core.suite import ResizeRule
from dpt_bench.resize import (
    enlarged_rows,
    midas_size,
    network_size,
    pick_pixels,
    resize_image,
    resize_prediction,
    resize_shorter_side,
    sample_prediction,
)

SIZES: dict[str, dict[str, list[int]]] = json.loads(
    (Path(__file__).parent / "golden/preprocess_sizes.json").read_text()
)
SIDES = get_args(ResizeRule.model_fields["side"].annotation)
LENGTHS = st.integers(1, 5000)
SMALL = st.tuples(st.integers(1, 40), st.integers(1, 40))


@pytest.mark.golden
@pytest.mark.parametrize("name", SIZES)
def test_sizes_of_the_published_transforms(name: str) -> None:
    net, method = name.split("/")
    width, height = (int(side) for side in net.split("x"))
    for image, size in SIZES[name].items():
        image_size = tuple(int(side) for side in image.split("x"))
        assert midas_size(image_size, (height, width), method) == tuple(size), image  # type: ignore[arg-type]
        if height == width:
            rule = ResizeRule(side=method, size=width)  # type: ignore[arg-type]
            assert network_size(*image_size, rule) == tuple(size), image  # type: ignore[misc]


@pytest.mark.golden
@pytest.mark.parametrize(
    ("model", "side", "mean", "std"),
    [
        ("dpt", "minimal", (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
        ("midas", "upper_bound", (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    ],
)
def test_pixels_of_the_published_transforms(
    shared_golden: Path, model: str, side: Literal["minimal"], mean: tuple[float, ...], std: tuple[float, ...]
) -> None:
    golden = np.load(shared_golden / "preprocess.npz")
    image = golden["img_uint8_rgb"]
    size = network_size(*image.shape[:2], ResizeRule(side=side))
    network_input = ((resize_image(image / 255, size, "cubic") - mean) / std).transpose(2, 0, 1)
    assert network_input.shape == tuple(golden[f"{model}/shape"])
    np.testing.assert_allclose(network_input[:, ::8, ::8], golden[f"{model}/sub8"], atol=1e-6)


@pytest.mark.parametrize(
    ("image", "longer", "shorter"),
    [
        ((480, 640), (288, 384), (384, 512)),
        ((640, 480), (384, 288), (512, 384)),
        ((375, 1242), (128, 384), (384, 1280)),
        ((436, 1024), (160, 384), (384, 896)),
        ((4032, 6048), (256, 384), (384, 576)),
        ((384, 512), (288, 384), (384, 512)),
        ((500, 500), (384, 384), (384, 384)),
        ((10, 1000), (32, 384), (384, 38400)),
        ((1000, 10), (384, 32), (38400, 384)),
    ],
)
def test_longer_and_shorter_side(image: tuple[int, int], longer: tuple[int, int], shorter: tuple[int, int]) -> None:
    assert network_size(*image, ResizeRule(side="longer")) == longer
    assert network_size(*image, ResizeRule(side="shorter")) == shorter


@given(height=LENGTHS, width=LENGTHS, side=st.sampled_from(SIDES), multiple=st.sampled_from([1, 14, 32]))
def test_every_rule_gives_usable_sides(height: int, width: int, side: Literal["exact"], multiple: int) -> None:
    goal = 12 * multiple
    size = network_size(height, width, ResizeRule(side=side, size=goal, multiple_of=multiple))
    assert all(length > 0 and length % multiple == 0 for length in size)
    if side == "longer":
        assert max(size) == goal
    if side == "shorter":
        assert min(size) == goal
    if side == "upper_bound":
        assert max(size) <= goal
    if side == "lower_bound":
        assert min(size) >= goal
    if side == "exact":
        assert size == (goal, goal)


@given(height=LENGTHS, width=LENGTHS)
def test_the_other_side_is_the_nearest_multiple(height: int, width: int) -> None:
    size = network_size(height, width, ResizeRule(side="longer"))
    wanted = 384 * min(height, width) / max(height, width)
    assert abs(min(size) - wanted) <= 16 or min(size) == 32


@given(height=LENGTHS, width=LENGTHS, side=st.sampled_from(SIDES))
def test_turning_the_image_turns_the_size(height: int, width: int, side: Literal["longer"]) -> None:
    rule = ResizeRule(side=side)
    scales_tie = side == "minimal" and abs(1 - 384 / height) == abs(1 - 384 / width)
    if not scales_tie:
        assert network_size(width, height, rule) == network_size(height, width, rule)[::-1]


def test_native_and_exact() -> None:
    assert network_size(375, 1242, ResizeRule(side="native")) == (384, 1248)
    assert network_size(5, 1242, ResizeRule(side="native")) == (32, 1248)
    assert network_size(375, 1242, ResizeRule(side="native", multiple_of=1)) == (375, 1242)
    assert network_size(375, 1242, ResizeRule(side="exact", size=518, multiple_of=14)) == (518, 518)


@given(height=LENGTHS, width=LENGTHS, shorter=st.integers(1, 1000))
def test_the_shorter_side_is_never_enlarged(height: int, width: int, shorter: int) -> None:
    size = resize_shorter_side(height, width, shorter)
    if min(height, width) <= shorter:
        assert size == (height, width)
    else:
        assert min(size) == shorter
        assert max(size) / shorter == pytest.approx(max(height, width) / min(height, width), abs=0.5 / shorter + 1e-9)


@pytest.mark.parametrize("interpolation", ["nearest", "linear", "cubic", "area"])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_images_keep_their_type(interpolation: Literal["area"], dtype: type) -> None:
    image = np.full((6, 8, 3), 7, dtype)
    resized = resize_image(image, (4, 5), interpolation)
    assert resized.dtype == dtype
    assert resized.shape == (4, 5, 3)
    np.testing.assert_allclose(resized, 7, rtol=1e-6)
    assert resize_image(image, (6, 8), interpolation) is image


def test_area_averages() -> None:
    image = np.arange(16, dtype=np.float32).reshape(4, 4)
    np.testing.assert_allclose(resize_image(image, (2, 2), "area"), [[2.5, 4.5], [10.5, 12.5]])


def by_torch(values: NDArray[np.floating], size: tuple[int, int], mode: str) -> NDArray[np.floating]:
    """The interpolation of the published evaluation code. In float64: torch's float32 coordinates are off by 1e-4."""
    tensor = torch.from_numpy(values.astype(np.float64))[None, None]
    options = {} if mode.startswith("nearest") else {"align_corners": False, "antialias": False}
    return torch.nn.functional.interpolate(tensor, size=size, mode=mode, **options)[0, 0].numpy()  # type: ignore[arg-type]


@settings(deadline=None, max_examples=60)
@given(source=SMALL, goal=SMALL, seed=st.integers(0, 99), dtype=st.sampled_from([np.float32, np.float64]))
def test_predictions_are_resized_as_torch_does(
    source: tuple[int, int], goal: tuple[int, int], seed: int, dtype: type
) -> None:
    values = np.random.default_rng(seed).random(source).astype(dtype)
    for method, tolerance in (("bilinear", 1e-6), ("bicubic", 1e-5)):
        resized = resize_prediction(values, goal, method)  # type: ignore[arg-type]
        assert resized.dtype == dtype
        np.testing.assert_allclose(resized, by_torch(values, goal, method), atol=tolerance)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("method", ["bilinear", "bicubic"])
@pytest.mark.parametrize(
    ("source", "goal"), [((384, 1280), (375, 1242)), ((288, 384), (480, 640)), ((256, 384), (900, 1300))]
)
def test_at_the_sizes_of_datasets(
    source: tuple[int, int], goal: tuple[int, int], method: Literal["bilinear", "bicubic"], dtype: type
) -> None:
    values = np.random.default_rng(0).random(source).astype(dtype)
    resized = resize_prediction(values, goal, method)
    assert resized.flags.c_contiguous
    np.testing.assert_allclose(resized, by_torch(values, goal, method), atol=1e-5)


@settings(deadline=None, max_examples=100)
@given(source=SMALL, goal=SMALL, seed=st.integers(0, 99), dtype=st.sampled_from([np.float32, np.float64]))
def test_a_sampled_prediction_is_the_resized_one(
    source: tuple[int, int], goal: tuple[int, int], seed: int, dtype: type
) -> None:
    generator = np.random.default_rng(seed)
    values = generator.normal(50, 10, source).astype(dtype)
    rows, columns = (generator.integers(0, side, (7, 2)) for side in goal)
    points = np.stack([columns, rows], axis=-1).astype(np.float64)
    full = resize_prediction(values, goal, "bilinear")
    sampled = sample_prediction(values, goal, points)
    assert sampled.shape == (7, 2)
    np.testing.assert_allclose(sampled, full[rows, columns], rtol=2e-6)


@settings(deadline=None)
@given(source=SMALL, goal=SMALL, number=st.floats(-1e6, 1e6, width=32))
def test_a_flat_prediction_is_the_same_number_everywhere(
    source: tuple[int, int], goal: tuple[int, int], number: float
) -> None:
    points = np.random.default_rng(0).uniform(-1, max(goal), (20, 2))
    assert set(sample_prediction(np.full(source, number, np.float32), goal, points).tolist()) == {number}


def test_only_neighbours_with_a_weight_count() -> None:
    values = np.array([[1.0, np.nan], [3.0, np.inf]])
    points = np.array([[0.0, 0.0], [0.0, 1.0], [0.0, 0.5], [1.0, 0.0]])
    assert sample_prediction(values, (2, 2), points).tolist()[:3] == [1.0, 3.0, 2.0]
    assert not np.isfinite(sample_prediction(values, (2, 2), points)[3])


@settings(deadline=None, max_examples=60)
@given(source=SMALL, goal=SMALL)
def test_nearest_takes_the_pixel_at_the_centre(source: tuple[int, int], goal: tuple[int, int]) -> None:
    values = np.arange(source[0] * source[1], dtype=np.float32).reshape(source)
    rows, columns = (((2 * np.arange(g) + 1) * s) // (2 * g) for s, g in zip(source, goal, strict=True))
    np.testing.assert_array_equal(resize_prediction(values, goal, "nearest"), values[rows][:, columns])


def test_a_prediction_of_the_right_size_is_returned_as_it_is() -> None:
    values = np.ones((4, 5), np.float32)
    assert resize_prediction(values, (4, 5), "bicubic") is values
    assert resize_prediction(values.astype(np.float16), (4, 5), "bilinear").dtype == np.float32


@settings(deadline=None)
@given(data=st.data(), source=SMALL)
def test_picked_pixels_are_those_at_the_centres(data: st.DataObject, source: tuple[int, int]) -> None:
    goal = tuple(data.draw(st.integers(1, side)) for side in source)
    array = np.arange(source[0] * source[1]).reshape(source)
    picked = pick_pixels(array, goal)  # type: ignore[arg-type]
    assert picked.shape == goal
    row, column = (data.draw(st.integers(0, side - 1)) for side in goal)
    at = [int(np.floor((i + 0.5) * s / g)) for i, s, g in zip((row, column), source, goal, strict=True)]
    exact = [(2 * i + 1) * s % (2 * g) == 0 for i, s, g in zip((row, column), source, goal, strict=True)]
    if not any(exact):  # float division may land on either side of a pixel border
        assert picked[row, column] == array[at[0], at[1]]


def test_picking_halves_by_the_lower_right_of_four() -> None:
    array = np.arange(16).reshape(4, 4)
    assert pick_pixels(array, (2, 2)).tolist() == [[5, 7], [13, 15]]
    assert pick_pixels(array, (4, 4)) is array


@pytest.mark.parametrize("dtype", [np.bool_, np.uint8, np.uint16, np.float32])
def test_picking_works_for_masks_labels_and_images(dtype: type) -> None:
    array = np.random.default_rng(0).integers(0, 2, (9, 12, 2)).astype(dtype)
    picked = pick_pixels(array, (3, 4))
    assert picked.dtype == dtype
    np.testing.assert_array_equal(picked, array[1::3, 1::3])


def test_picking_never_mixes_and_keeps_nan_apart() -> None:
    values = np.full((50, 70), np.nan, np.float32)
    values[10:40, 10:60] = 3
    picked = pick_pixels(values, (17, 23))
    assert set(np.unique(picked[np.isfinite(picked)])) == {3}
    assert np.isnan(picked).any()


@pytest.mark.parametrize("goal", [(5, 4), (4, 6), (0, 4), (4, -1)])
def test_picking_never_enlarges(goal: tuple[int, int]) -> None:
    with pytest.raises(UsageError, match="cannot be brought to") as caught:
        pick_pixels(np.zeros((4, 5)), goal)
    assert caught.value.fix


@pytest.mark.parametrize("size", [(40, 50), (7, 11), (9, 30), (30, 12), (3, 4)])
def test_rows_of_an_enlargement_without_the_others(size: tuple[int, int]) -> None:
    values = np.random.default_rng(0).random((9, 12))
    whole = resize_prediction(values, size, "bilinear")
    for first, last in ((0, size[0]), (0, 1), (size[0] - 1, size[0]), (1, 3)):
        np.testing.assert_allclose(enlarged_rows(values, size, first, last), whole[first:last], atol=1e-12)
