"""The traps of zero-shot evaluation, one test each, numbered as in the list of `trap_mutants.py`, which springs them.

A trap that this package has no code for (DIODE's mask, MoGe's harness) has no test.
"""

from __future__ import annotations

import tomllib
import warnings
from decimal import Decimal
from pathlib import Path

import h5py
import numpy as np
import pytest
from pydantic import ValidationError

from dpt_bench import evaluate
from dpt_bench.alignment import fit_scale_and_shift
from dpt_bench.core.catalog import RECIPES, SUITES
from dpt_bench.core.kinds import DepthKind
from dpt_bench.core.provenance import sha256_of_keys
from dpt_bench.core.sample import DepthMap, OrdinalPairs
from dpt_bench.core.suite import ResizeRule, SuiteDataset
from dpt_bench.evaluation import EvaluationOptions
from dpt_bench.evaluation.cache import PredictionCache
from dpt_bench.metrics import load_metric
from dpt_bench.predictors import Query
from dpt_bench.readers import load_reader
from dpt_bench.readers._splits import load_split_list
from dpt_bench.readers._tum_raw import associate
from dpt_bench.readers.diw import parse_pair
from dpt_bench.readers.nyu import write_mat, write_splits
from dpt_bench.resize import network_size, resize_prediction
from dpt_bench.results import read_results
from dpt_bench.results.published import PublishedRow, load_published
from dpt_bench.scenes import scenes_for
from dpt_bench.scoring import score, score_pairs
from dpt_bench.scoring.pixels import crop_window, scored_pixels

DISPARITY = DepthKind.AFFINE_DISPARITY
QUICK = EvaluationOptions(panels=0)


def target(depth_m: np.ndarray, valid: np.ndarray | None = None) -> DepthMap:
    values = np.asarray(depth_m, np.float32)
    usable = np.isfinite(values) if valid is None else valid
    return DepthMap(np.where(usable, values, np.float32(np.nan)), DepthKind.METRIC_DEPTH, usable)


def protocol(**changes: object) -> SuiteDataset:
    facts = {"recipe": "some_set", "split": "test", "metrics": ("absrel",), "resize": ResizeRule(side="longer")}
    return SuiteDataset.model_validate({**facts, "cap_m": 80.0, **changes})


def entry(suite: str, recipe: str) -> SuiteDataset:
    return next(one for one in SUITES.load(suite).datasets if one.recipe == recipe)


@pytest.fixture
def scene() -> tuple[np.ndarray, np.ndarray]:
    """(depth_m, disparity) of one size, the second roughly the reciprocal of the first, on another scale."""
    generator = np.random.default_rng(0)
    depth_m = np.repeat(np.geomspace(70, 3, 40)[:, None], 60, axis=1) * generator.uniform(0.9, 1.1, (40, 60))
    return depth_m, 300 / depth_m + 40 + generator.normal(0, 4, depth_m.shape)


def test_trap_01_negative_aligned_disparity_becomes_the_cap() -> None:
    truth = np.array([[2.0, 2.0, 2.0, 2.0, 50.0, 60.0]])
    prediction = np.array([[0.6, 0.6, 0.6, 0.6, -0.4, 0.0]])
    scored = score(target(truth), prediction, DISPARITY, protocol())
    aligned = scored.scale * prediction + scored.shift
    assert aligned.min() < 0, "the example must spring the trap"
    depth = np.where(aligned < 1 / 80, 80.0, 1 / np.maximum(aligned, 1 / 80))
    assert scored.values["absrel"] == pytest.approx(np.mean(np.abs(depth - truth) / truth), rel=1e-12)


def test_trap_02_alignment_is_in_float64() -> None:
    disparity = np.random.default_rng(2).uniform(1 / 70, 1 / 2, (600, 1000)).astype(np.float32).astype(np.float64)
    fit = fit_scale_and_shift(2000 + 40 * disparity, disparity, np.ones_like(disparity, dtype=bool))
    assert (fit.scale, fit.shift) == pytest.approx((1 / 40, -50.0), rel=1e-8)


def test_trap_03_a_negative_scale_is_flagged(scene) -> None:
    depth_m, _ = scene
    assert score(target(depth_m), depth_m, DISPARITY, protocol()).flags == ("negative-scale",)


def test_trap_04_fit_and_metrics_see_the_same_pixels(scene, oracle) -> None:
    depth_m, prediction = scene
    prediction = prediction - 60  # some are not positive: Marigold drops those from the fit alone
    assert (prediction < 0).any()
    expected = oracle.midas_scores(prediction, depth_m.astype(np.float32), depth_m > 0, cap_m=80.0)
    assert score(target(depth_m), prediction, DISPARITY, protocol()).values["absrel"] == pytest.approx(
        expected["absrel"], rel=1e-9
    )


def test_trap_05_clipping_comes_after_the_alignment(scene) -> None:
    depth_m, prediction = scene
    one, other = (score(target(depth_m), values, DISPARITY, protocol()) for values in (prediction, prediction - 1000))
    assert one.values == pytest.approx(other.values, rel=1e-9)


def test_trap_06_outliers_stay_in_the_fit(scene, oracle) -> None:
    depth_m, prediction = scene
    prediction[3, 3] = 1e5
    expected = oracle.midas_scores(prediction, depth_m.astype(np.float32), depth_m > 0, cap_m=80.0)
    assert score(target(depth_m), prediction, DISPARITY, protocol()).values["absrel"] == pytest.approx(
        expected["absrel"], rel=1e-9
    )


def test_trap_07_every_image_weighs_the_same(world, make_fake, tmp_path) -> None:
    image, depth_m = world.arrays["inside", world.keys("inside")[0]]
    lone = np.full_like(depth_m, np.nan)
    lone[0, :3] = [1.0, 2.0, 1.5]
    world.add("inside", world.keys("inside")[0], image, lone)
    report = evaluate(make_fake(), world.suite, world.data, tmp_path, options=QUICK)
    rows = [
        row for row in read_results(tmp_path).to_pylist() if (row["dataset"], row["metric"]) == ("inside", "absrel")
    ]
    assert len({row["n_valid"] for row in rows}) > 3
    mean = next(row.mean for row in report.summary if (row.dataset, row.metric) == ("inside", "absrel"))
    assert mean == pytest.approx(np.mean([row["value"] for row in rows]), rel=1e-12)


def test_trap_08_the_target_is_never_resized() -> None:
    depth_m = np.full((64, 96), np.nan)
    depth_m[1::7, 2::9] = 2 + np.arange(99).reshape(9, 11)
    scored = score(target(depth_m), np.random.default_rng(3).random((8, 12)), DISPARITY, protocol())
    assert scored.n_valid == 99


def test_trap_09_upsampling_is_bilinear_at_pixel_centres(oracle) -> None:
    values = np.random.default_rng(0).random((9, 12)).astype(np.float32)
    assert {one.upsample for one in SUITES.load("midas").datasets} == {"bilinear"}
    np.testing.assert_allclose(
        resize_prediction(values, (30, 41), "bilinear"), oracle.bilinear(values, (30, 41)), atol=1e-6
    )


def test_trap_10_kitti_caps_crops_and_their_order() -> None:
    kitti = entry("midas", "kitti")
    assert (kitti.cap_m, kitti.crop, kitti.target_range_m) == (80.0, "none", (0.0, float("inf")))
    depth_m = np.full((352, 1216), 5.0)
    depth_m[:, 1000:] = 100.0
    assert scored_pixels(target(depth_m), kitti).all(), "the cap is for predictions alone"
    garg, eigen = (crop_window(name, 352, 1216) for name in ("garg", "eigen"))
    assert (garg[0], garg[1]) == (slice(143, 349), slice(43, 1172))  # int(), as in BTS: never rounded up
    assert (eigen[0], eigen[1]) == (slice(117, 321), slice(43, 1172))
    cropped = scored_pixels(target(depth_m), protocol(crop="garg"))
    assert cropped.sum() == (349 - 143) * (1172 - 43), "a mask that is built is applied"
    table3 = entry("kitti-eigen", "kitti")
    assert (table3.crop, table3.crop_frame, table3.input_crop) == ("garg", "whole", "kitti_benchmark")
    marigold = entry("marigold", "kitti")
    assert (marigold.crop, marigold.crop_frame, marigold.input_crop) == ("eigen", "input", "kitti_benchmark")


def test_trap_11_annotated_depth_and_all_161_frames() -> None:
    recipe = RECIPES.load("kitti")
    assert all("proj_depth/groundtruth" in pattern for pattern in recipe.layout["depths"]), "never raw LiDAR"
    frames = load_split_list(recipe, "midas161")
    assert sum(map(len, frames.values())) == 161
    people = {
        "2011_09_26_drive_0020": range(42, 79, 3),
        "2011_09_26_drive_0036": [768],
        "2011_10_03_drive_0047": [32, 800],
    }
    assert all(set(numbers) <= set(frames[drive]) for drive, numbers in people.items()), "the list of 145 lacks these"
    keys = [f"{drive}/{frame:010d}" for drive, numbers in frames.items() for frame in numbers]
    assert sha256_of_keys(keys) == recipe.splits["midas161"].keys_sha256


def test_trap_12_eth3d_depth_is_raw_and_of_the_distorted_images(tmp_path) -> None:
    recipe = RECIPES.load("eth3d")
    assert all("/dslr_images/" in recipe.layout[part] for part in ("image", "target")), "not dslr_images_undistorted"
    reader = load_reader(recipe)
    scenes = list(scenes_for("eth3d", 2, seed=0))
    reader.write_example(tmp_path, recipe, iter(scenes))
    row = reader.list(tmp_path, recipe, "dslr454").to_pylist()[0]
    depth_file = row["files"][1]
    raw = np.frombuffer((tmp_path / depth_file).read_bytes(), "<f4")
    sample = reader.read(tmp_path, recipe, row)
    assert depth_file.endswith(".JPG")
    assert raw.size == sample.image.shape[0] * sample.image.shape[1]
    invalid = np.isinf(raw).reshape(sample.target.values.shape)
    assert invalid.any()
    np.testing.assert_array_equal(sample.target.valid, ~invalid)
    np.testing.assert_array_equal(sample.target.values[~invalid], raw.reshape(invalid.shape)[~invalid])


def test_trap_13_a_sky_without_near_pixels_is_skipped_and_counted(world, make_fake, tmp_path) -> None:
    sintel = entry("midas", "sintel")
    assert (sintel.cap_m, sintel.target_range_m) == (72.0, (0.0, 72.0))
    scored = score(target(np.full((4, 5), 75.0)), np.eye(4), DISPARITY, sintel)
    assert (scored.skipped, scored.values) == ("no-valid-pixel", {})
    key = world.keys("inside")[0]
    image, depth_m = world.arrays["inside", key]
    world.add("inside", key, image, np.full_like(depth_m, np.nan))
    report = evaluate(make_fake(), world.suite, world.data, tmp_path, options=QUICK)
    inside = next(row for row in report.summary if row.dataset == "inside")
    assert (inside.n_images, inside.n_skipped, inside.skips) == (6, 1, "no-valid-pixel:1")


def test_trap_14_diw_order_of_numbers_relation_and_ties() -> None:
    diw = entry("midas", "diw")
    depth = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 5.0]])
    lines = {
        "1,3,1,1,>,3,2": 0.0,
        "2,1,1,3,>,3,2": 0.0,
        "1,3,1,1,<,3,2": 1.0,
        "2,2,2,3,>,3,2": 1.0,
        "2,2,2,3,<,3,2": 1.0,
    }
    for line, expected in lines.items():
        pairs = OrdinalPairs(*parse_pair(line, 2, 3))
        for kind, values in ((DepthKind.METRIC_DEPTH, depth), (DISPARITY, 9 - depth)):
            assert score_pairs(pairs, values, kind, (2, 3), diw).values == {"whdr": expected}, (line, kind)
    tied = score_pairs(OrdinalPairs(*parse_pair("2,2,2,3,>,3,2", 2, 3)), depth, DISPARITY, (2, 3), diw)
    assert tied.flags == ("tied-pair",)


def test_trap_15_nyu_indices_axes_channels_and_holes(tmp_path) -> None:
    recipe = RECIPES.load("nyu")
    generator = np.random.default_rng(0)
    frames = [
        (generator.integers(0, 256, (480, 640, 3), dtype=np.uint8), np.full((480, 640), 1.0 + index, np.float32))
        for index in range(3)
    ]
    for _, depth in frames:
        depth[:100, :50] = 0
    write_mat(tmp_path / "nyu_depth_v2_labeled.mat", frames)
    with h5py.File(tmp_path / "nyu_depth_v2_labeled.mat", "r+") as file:
        assert file["images"].shape == (3, 3, 640, 480), "MATLAB's order"
        file["depths"] = file["rawDepths"][:] + 50
    write_splits(tmp_path / "splits.mat", train=[0], test=[1, 2])  # written as 1; 2, 3
    reader = load_reader(recipe)
    rows = reader.list(tmp_path, recipe, "test").to_pylist()
    assert [row["key"] for row in rows] == ["0001", "0002"]
    sample = reader.read(tmp_path, recipe, rows[0])
    np.testing.assert_array_equal(sample.image, frames[1][0])  # RGB, rows first
    assert sample.target.valid.sum() == 480 * 640 - 5000, "rawDepths, with its holes"
    assert np.nanmax(sample.target.values) == 2.0
    nyu = entry("midas", "nyu")
    assert scored_pixels(target(np.array([[0.5, 9.999, 10.0, 10.1]])), nyu).tolist() == [[True, True, False, False]]
    assert nyu.crop == "none", "the white border of 8 pixels is scored"


def test_trap_16_tum_is_the_set_of_1815_and_raw_frames_are_paired_by_time() -> None:
    recipe = RECIPES.load("tum")
    assert entry("midas", "tum").split == "midas1815"
    assert (recipe.splits["midas1815"].images, recipe.splits["raw"].keys_sha256) == (1815, None)
    assert sum(map(len, load_split_list(recipe, "midas1815").values())) == 1815
    assert associate([1.0, 2.0, 3.0], [0.2, 1.01, 3.005], 0.02) == [(0, 1), (2, 2)]


def test_trap_19_silog_has_no_factor_and_the_whole_second_term() -> None:
    prediction, truth = np.array([2.0, 4.0, 1.0]), np.array([1.0, 1.0, 1.0])
    logs = np.log(prediction)
    expected = np.sqrt(np.mean(logs**2) - np.mean(logs) ** 2)
    assert load_metric("silog")(prediction, truth, truth > 0) == pytest.approx(expected, rel=1e-12)
    assert load_metric("silog").unit == "log"


def test_trap_20_sq_rel_divides_once() -> None:
    prediction, truth = np.array([3.0, 4.0]), np.array([2.0, 8.0])
    assert load_metric("sq_rel")(prediction, truth, truth > 0) == pytest.approx((1 / 2 + 16 / 8) / 2, rel=1e-12)


def test_trap_21_one_prediction_an_image_of_the_image_as_it_is(world, make_fake, tmp_path) -> None:
    """Neither the best of several, nor the mean with a mirrored one."""
    seen = {}

    def look(query: Query, values: np.ndarray) -> np.ndarray:
        seen.setdefault((query.dataset, query.key), []).append(query.image)
        return values

    evaluate(make_fake(spoil=look), world.suite, world.data, tmp_path, options=QUICK)
    assert {len(images) for images in seen.values()} == {1}
    for name, (image,) in seen.items():
        np.testing.assert_array_equal(image, world.arrays[name][0])


def test_trap_22_a_cached_prediction_is_of_these_very_pixels(make_fake, tmp_path) -> None:
    cache = PredictionCache(tmp_path, 10**6)
    image = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
    changed = image.copy()
    changed[2, 2, 1] += 1
    names = {cache.name(make_fake(), Query(one, "nyu", "0001"), None) for one in (image, changed, image[:, :, ::-1])}
    assert len(names) == 3


def test_trap_23_a_metric_model_that_is_aligned_says_so(world, make_fake, tmp_path) -> None:
    metric = make_fake(kind=DepthKind.METRIC_DEPTH, spoil=lambda query, values: 1 / (values + 1))
    report = evaluate(metric, world.suite, world.data, tmp_path, options=QUICK)
    assert {(row.kind, row.scored_as) for row in report.summary} == {("metric_depth", "affine_disparity")}


def test_trap_24_fractions_everywhere(scene) -> None:
    depth_m, prediction = scene
    shares = protocol(metrics=("delta_above_1_25", "absrel"))
    assert score(target(depth_m), -prediction[::-1], DISPARITY, shares).values["delta_above_1_25"] <= 1
    everything_wrong = OrdinalPairs(np.array([[[0.0, 0.0], [1.0, 0.0]]]), np.array([True]))
    diw = entry("midas", "diw")
    assert score_pairs(everything_wrong, np.array([[1.0, 2.0]]), DepthKind.METRIC_DEPTH, (1, 2), diw).values == {
        "whdr": 1.0
    }
    row = load_published("midas")[0]
    with pytest.raises(ValidationError, match="not percent"):
        PublishedRow.model_validate({**row.model_dump(), "value": Decimal("10.82")})


def test_trap_25_non_finite_predictions_are_counted(scene) -> None:
    depth_m, prediction = scene
    prediction[5, 3] = np.nan
    scored = score(target(depth_m), prediction, DISPARITY, protocol())
    assert (scored.values, scored.skipped) == ({}, "non-finite-prediction")
    valid = np.ones(depth_m.shape, bool)
    valid[5, 3] = False
    assert score(target(depth_m, valid), prediction, DISPARITY, protocol()).flags == ("non-finite-prediction",)


def test_trap_26_a_dataset_without_a_number_has_none(world, make_fake, tmp_path) -> None:
    for key in world.keys("inside"):
        image, depth_m = world.arrays["inside", key]
        world.add("inside", key, image, np.full_like(depth_m, np.nan))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        report = evaluate(make_fake(), world.suite, world.data, tmp_path, options=QUICK)
    inside = next(row for row in report.summary if row.dataset == "inside")
    assert (inside.mean, inside.ci_low, inside.n_images, inside.n_skipped) == (None, None, 0, 7)
    assert "nan" not in (tmp_path / "summary.csv").read_text().lower()


@pytest.mark.parametrize(
    ("size", "upper_bound", "minimal"),
    [
        ((480, 640), (288, 384), (384, 512)),
        ((375, 1242), (128, 384), (384, 1280)),
        ((436, 1024), (160, 384), (384, 896)),
        ((4032, 6048), (256, 384), (384, 576)),
        ((384, 512), (288, 384), (384, 512)),
        ((352, 1216), (96, 384), (384, 1312)),
    ],
)
def test_the_two_resize_rules_are_not_one(size, upper_bound, minimal) -> None:
    """The paper's rule and that of the released code (reference, section 1.1), which differ on every set."""
    assert network_size(*size, ResizeRule(side="upper_bound")) == upper_bound
    assert network_size(*size, ResizeRule(side="minimal")) == minimal
    for suite, sides in (("midas", {"longer", "shorter"}), ("midas-minimal", {"minimal"})):
        assert {one.resize.side for one in SUITES.load(suite).datasets} == sides


def test_every_trap_here_is_sprung_by_a_mutant() -> None:
    mutants = tomllib.loads(Path(__file__).with_name("trap_mutants.toml").read_text())["mutants"]
    here = {name.removeprefix("test_trap_")[:2] for name in globals() if name.startswith("test_trap_")}
    assert here == {f"{mutant['trap']:02}" for mutant in mutants}
    assert here == {f"{number:02}" for number in range(1, 27)} - {"17", "18"}
    root = Path(__file__).parents[2]
    for mutant in mutants:
        assert mutant["old"] in (root / mutant["file"]).read_text(), f"{mutant['says']}: the code has moved on"
