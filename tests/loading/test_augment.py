from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpt_bench.loading.augment import AugmentOptions, CropRule, centre_view, training_view
from dpt_bench.loading.randomness import Stream
from dpt_bench.shards.codec import CodedSample

RULES: tuple[CropRule, ...] = ("shorter-side", "crop-then-resize", "literal")


def coded(height: int, width: int) -> CodedSample:
    """Every pixel of the image and of the target, but for a corner that is invalid, says where it lies."""
    rows, columns = np.mgrid[:height, :width]
    image = np.stack([rows, columns, np.zeros_like(rows)], axis=-1).astype(np.uint8)
    codes = (1 + rows * 400 + columns).astype(np.uint16)
    codes[rows + columns < 5] = 0
    return CodedSample("a/b", image, codes)


def shown(sample: CodedSample, options: AugmentOptions, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A view as it gets into a batch: image, and row and column of the source with NaN where invalid, (2, S, S)."""
    view = training_view(sample, options, Stream(seed))
    image, codes = (part[:, ::-1] if view.mirrored else part for part in (view.image, view.codes))
    place = np.where(codes == 0, np.nan, codes - 1.0)
    return image, np.stack([place // 400, place % 400])


@settings(deadline=None, max_examples=60)
@given(
    height=st.integers(20, 150),
    width=st.integers(20, 150),
    rule=st.sampled_from(RULES),
    size=st.sampled_from([32, 64]),
    seed=st.integers(0, 9),
)
def test_views_are_square_and_of_the_size(height: int, width: int, rule: CropRule, size: int, seed: int) -> None:
    view = training_view(coded(height, width), AugmentOptions(rule, size), Stream(seed))
    assert view.image.shape == (size, size, 3)
    assert view.codes.shape == (size, size)
    assert np.isin(view.codes, [0, *np.unique(coded(height, width).codes)]).all(), "a target is never mixed"


def test_a_crop_at_native_size_is_cut_and_flipped_as_one() -> None:
    seen = set()
    for seed in range(40):
        image, (rows, columns) = shown(coded(64, 100), AugmentOptions(size=64), seed)
        known = np.isfinite(rows)
        assert np.array_equal(image[..., 0][known], rows[known])
        assert np.array_equal(image[..., 1][known], columns[known])
        flipped = columns[60, 0] > columns[60, 1]
        seen.add((bool(flipped), int(columns[60].min())))
    assert {flip for flip, _ in seen} == {True, False}
    lefts = {left for _, left in seen}
    assert min(lefts) < 6
    assert max(lefts) > 30
    assert max(lefts) <= 36


def test_flips_happen_as_often_as_asked() -> None:
    for share in (0.0, 0.5, 1.0):
        views = (shown(coded(32, 32), AugmentOptions(size=32, flip=share), seed)[0] for seed in range(200))
        flips = sum(bool(image[0, 0, 1] > image[0, 1, 1]) for image in views)
        assert abs(flips - 200 * share) < 40


def test_the_literal_reading_pads_with_invalid_grey() -> None:
    view = training_view(coded(48, 96), AugmentOptions("literal", 64), Stream(1))
    padded = (view.image == 128).all(axis=-1)
    assert padded.sum() == 64 * 32, "96 x 48 becomes 64 x 32"
    assert (view.codes[padded] == 0).all()
    assert (view.codes[~padded] != 0).mean() > 0.9


def test_crop_then_resize_takes_squares_of_many_sizes() -> None:
    options = AugmentOptions("crop-then-resize", 32, smallest_crop=0.25)
    spans = []
    for seed in range(60):
        _, (rows, _) = shown(coded(96, 128), options, seed)
        spans.append(np.nanmax(rows) - np.nanmin(rows))
    assert min(spans) < 36
    assert max(spans) > 84


def test_the_centre_view_is_the_middle() -> None:
    view = centre_view(coded(64, 104), 64)
    assert view.codes[10, 0] == 1 + 10 * 400 + 20
    assert view.codes[63, 63] == 1 + 63 * 400 + 83


@pytest.mark.parametrize("rule", RULES)
def test_the_same_stream_gives_the_same_view(rule: CropRule) -> None:
    first, second = (training_view(coded(50, 70), AugmentOptions(rule, 32), Stream(8)) for _ in range(2))
    assert np.array_equal(first.image, second.image)
    assert np.array_equal(first.codes, second.codes)
    assert first.mirrored == second.mirrored


def photograph() -> CodedSample:
    rng = np.random.default_rng(5)
    image = np.clip(rng.normal((150, 110, 70), 25, (64, 64, 3)), 0, 255).astype(np.uint8)
    return CodedSample("a/b", image, coded(64, 64).codes)


@pytest.mark.parametrize("changes", [{"colour": 0.4}, {"greyscale": 1.0}, {"blur": 1.0}])
def test_colours_change_and_targets_do_not(changes: dict[str, float]) -> None:
    plain = [training_view(photograph(), AugmentOptions(size=64), Stream(seed)) for seed in range(20)]
    changed = [training_view(photograph(), AugmentOptions(size=64, **changes), Stream(seed)) for seed in range(20)]
    for one, other in zip(plain, changed, strict=True):
        assert np.array_equal(one.codes, other.codes)
        assert one.mirrored == other.mirrored
        assert other.image.dtype == np.uint8
        assert not np.array_equal(one.image, other.image)
        again = training_view(photograph(), AugmentOptions(size=64, **changes), Stream(0))
    assert np.array_equal(again.image, changed[0].image), "the same stream, the same view"


def test_a_grey_view_has_the_brightness_of_the_image() -> None:
    image = photograph().image
    grey = training_view(photograph(), AugmentOptions(size=64, flip=0, greyscale=1.0), Stream(0)).image
    assert (np.ptp(grey, axis=2) == 0).all()
    assert np.abs(grey[..., 0] - image @ np.array([0.299, 0.587, 0.114])).max() <= 1


def test_a_blur_smooths_and_keeps_the_mean() -> None:
    image = photograph().image
    soft = training_view(photograph(), AugmentOptions(size=64, flip=0, blur=1.0), Stream(1)).image
    assert soft.std() < 0.9 * image.std()
    assert np.abs(soft.mean((0, 1)) - image.mean((0, 1))).max() < 1.5


def test_brightness_stays_within_its_bounds() -> None:
    means = [
        training_view(photograph(), AugmentOptions(size=64, colour=0.2), Stream(seed)).image.mean()
        for seed in range(60)
    ]
    usual = photograph().image.mean()
    assert min(means) < 0.92 * usual
    assert max(means) > 1.08 * usual
    assert all(0.78 * usual < mean < 1.22 * usual for mean in means), "contrast, saturation and hue keep the mean grey"


def test_a_zoom_shows_less_of_the_image() -> None:
    spans = []
    for seed in range(40):
        _, (rows, _) = shown(coded(64, 64), AugmentOptions(size=64, zoom=2.0), seed)
        spans.append(np.nanmax(rows) - np.nanmin(rows))
    assert min(spans) < 36
    assert max(spans) > 58


def test_a_zoom_of_the_literal_reading_fills_more_of_the_square() -> None:
    options = AugmentOptions("literal", 64, zoom=2.0)
    views = [training_view(coded(48, 96), options, Stream(seed)) for seed in range(40)]
    grey = [(view.image == 128).all(axis=-1) for view in views]
    assert {view.codes.shape for view in views} == {(64, 64)}
    assert max(one.mean() for one in grey) > 0.45
    assert min(one.mean() for one in grey) < 0.05
    assert all((view.codes[one] == 0).all() for view, one in zip(views, grey, strict=True))
