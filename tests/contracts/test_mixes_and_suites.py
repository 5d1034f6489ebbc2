"""Mixes have the members of their papers; suites name what exists, with the rules of their papers."""

from __future__ import annotations

import pytest

from dpt_bench.core.catalog import EVAL_RECIPES, MIXES, RECIPES, SUITES, TRAIN_RECIPES, plugin_names
from dpt_bench.core.kinds import DepthKind
from dpt_bench.core.suite import ResizeRule
from dpt_bench.metrics import load_metric
from dpt_bench.results.published import load_published, published_suites
from dpt_bench.scoring import check_target, required_kind

INFINITE = float("inf")

MIX5 = ("redweb", "diml", "movies", "megadepth", "wsvd")
MIX6 = (*MIX5, "tartanair", "hrwsi", "apolloscape", "blendedmvs", "irs")


@pytest.mark.parametrize(
    ("name", "members"), [("mix5", MIX5), ("mix6", MIX6), ("curated3", ("redweb", "hrwsi", "blendedmvs"))]
)
def test_members_are_those_of_the_paper_and_weigh_the_same(name: str, members: tuple[str, ...]) -> None:
    mix = MIXES.load(name)
    assert tuple(member.recipe for member in mix.members) == members
    assert {member.weight for member in mix.members} == {1.0}


def test_no_two_mixes_are_shown_by_one_name_nor_one_set_of_members_by_two() -> None:
    named = [mix for mix in map(MIXES.load, MIXES.names()) if mix.short_title]
    assert {"MIX 5", "MIX 6"} <= {mix.short_title for mix in named}
    assert len({mix.short_title for mix in named}) == len(named)
    assert len({frozenset(member.recipe for member in mix.members) for mix in named}) == len(named)


@pytest.mark.parametrize("name", MIXES.names())
def test_members_that_have_a_recipe_have_one_for_training(name: str) -> None:
    evaluated = set(EVAL_RECIPES.names()) - set(TRAIN_RECIPES.names())
    assert not evaluated & {member.recipe for member in MIXES.load(name).members}


@pytest.mark.parametrize("name", SUITES.names())
def test_suites_name_what_exists(name: str) -> None:
    suite = SUITES.load(name)
    for dataset in suite.datasets:
        recipe = RECIPES.load(dataset.recipe)
        assert dataset.split in recipe.splits
        assert set(dataset.metrics) <= set(plugin_names("dpt_bench.metrics"))
    assert not set(suite.missing) & {dataset.recipe for dataset in suite.datasets}
    assert not suite.missing or suite.status in ("partial", "user")


MIDAS = {  # TPAMI 2022, section 6: split, images, first metric, side of 384 pixels, cap in m, ground truth below, in m
    "diw": ("test", 74441, "whdr", "longer", None, INFINITE),
    "eth3d": ("dslr454", 454, "absrel", "longer", 72, INFINITE),
    "sintel": ("final", 1064, "absrel", "longer", 72, 72),
    "kitti": ("midas161", 161, "delta_above_1_25", "shorter", 80, INFINITE),
    "nyu": ("test", 654, "delta_above_1_25", "longer", 10, 10),
    "tum": ("midas1815", 1815, "delta_above_1_25", "longer", 10, INFINITE),
}
LISTS = {
    "eth3d": "de8167646e96e644f4f23bd4dc11da6dfa8b17e5ef5f644ad03dea4bfe32e038",
    "sintel": "dcb2b419778c5c7ec9f5d54812d9609c710bb4ab993d70dfa3a4c5244b5a3013",
    "kitti": "0677e137126bbed9758f812c6da9227b5b5c4235882bd7926d26605241b433fb",
    "nyu": "fc0b27d28b9b3df846c49b52028d121827bebb8cf41acec25fc25c0f30d535fb",
    "tum": "8bcce71b1cd7ffffdd34224d80b7eaaac6923680efa68cd4bdc9935560a6627c",
}


@pytest.mark.parametrize("suite", ["midas", "midas-minimal"])
def test_midas_follows_the_paper(suite: str) -> None:
    datasets = SUITES.load(suite).datasets
    assert [dataset.recipe for dataset in datasets] == list(MIDAS), "in the order of the paper's table"
    for dataset in datasets:
        split, images, metric, side, cap, deepest = MIDAS[dataset.recipe]
        rule = "minimal" if suite == "midas-minimal" else side
        assert dataset.resize == ResizeRule(side=rule, size=384, multiple_of=32, interpolation="cubic")
        assert (dataset.split, dataset.metrics[0], dataset.cap_m) == (split, metric, cap)
        assert (dataset.target_range_m, dataset.crop, dataset.upsample) == ((0.0, deepest), "none", "bilinear")
        aligned = "none" if metric == "whdr" else "scale_and_shift"
        assert (dataset.alignment, dataset.alignment_space) == (aligned, "disparity")
        facts = EVAL_RECIPES.load(dataset.recipe).splits[split]
        assert (facts.images, facts.keys_sha256) == (images, LISTS.get(dataset.recipe))
    assert SUITES.load(suite).status == "reconstructed"
    assert all(word in SUITES.load(suite).note for word in ("final pass", "tie on DIW"))


@pytest.mark.parametrize(
    ("suite", "recipe", "split", "images", "crop", "deepest"),
    [("nyu-eigen", "nyu", "test", 654, "nyu_eigen", 10), ("kitti-eigen", "kitti", "eigen652", 652, "garg", 80)],
)
def test_suites_of_metric_depth(suite: str, recipe: str, split: str, images: int, crop: str, deepest: float) -> None:
    """DPT tables 2 and 3: nothing is aligned; ground truth and prediction within 0.001 m and 10 or 80 m."""
    (dataset,) = SUITES.load(suite).datasets
    assert (dataset.recipe, dataset.split, dataset.crop) == (recipe, split, crop)
    assert (dataset.alignment, dataset.alignment_space) == ("none", "depth")
    assert (dataset.cap_m, dataset.target_range_m) == (deepest, (0.001, deepest))
    assert dataset.metrics[0] == "delta_1_25"
    assert EVAL_RECIPES.load(recipe).splits[split].images == images
    assert required_kind(dataset) is DepthKind.METRIC_DEPTH


@pytest.mark.parametrize("name", SUITES.names())
def test_suites_can_score_their_datasets(name: str) -> None:
    for dataset in SUITES.load(name).datasets:
        check_target(RECIPES.load(dataset.recipe).target.kind, dataset)


@pytest.mark.parametrize("name", sorted(set(SUITES.names()) & set(published_suites())))
def test_published_numbers_are_of_the_suite(name: str) -> None:
    suite = SUITES.load(name)
    datasets = {dataset.recipe: dataset for dataset in suite.datasets}
    for row in load_published(name):
        assert row.suite_version == suite.version
        metric = load_metric(row.metric)
        assert (row.unit, row.better) == (metric.unit, "higher" if metric.higher_is_better else "lower")
        if row.dataset not in datasets:
            assert row.dataset in suite.missing
            continue
        dataset = datasets[row.dataset]
        assert row.metric in dataset.metrics, "boards merge by the metric's name"
        assert row.num_images in (None, RECIPES.load(row.dataset).splits[dataset.split].images)
