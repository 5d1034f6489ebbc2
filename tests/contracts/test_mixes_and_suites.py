"""Mixes have the members of their papers; suites name what exists, with the rules of their papers."""

from __future__ import annotations

import pytest

from dpt_bench.core.catalog import EVAL_RECIPES, MIXES, SUITES, TRAIN_RECIPES, plugin_names
from dpt_bench.core.suite import ResizeRule

MIX5 = ("redweb", "diml", "movies", "megadepth", "wsvd")
MIX6 = (*MIX5, "tartanair", "hrwsi", "apolloscape", "blendedmvs", "irs")


@pytest.mark.parametrize(
    ("name", "members"), [("mix5", MIX5), ("mix6", MIX6), ("curated3", ("redweb", "hrwsi", "blendedmvs"))]
)
def test_members_are_those_of_the_paper_and_weigh_the_same(name: str, members: tuple[str, ...]) -> None:
    mix = MIXES.load(name)
    assert tuple(member.recipe for member in mix.members) == members
    assert {member.weight for member in mix.members} == {1.0}


@pytest.mark.parametrize("name", MIXES.names())
def test_members_that_have_a_recipe_have_one_for_training(name: str) -> None:
    evaluated = set(EVAL_RECIPES.names()) - set(TRAIN_RECIPES.names())
    assert not evaluated & {member.recipe for member in MIXES.load(name).members}


@pytest.mark.parametrize("name", SUITES.names())
def test_suites_name_what_exists(name: str) -> None:
    suite = SUITES.load(name)
    for dataset in suite.datasets:
        recipe = EVAL_RECIPES.load(dataset.recipe)
        assert dataset.split in recipe.splits
        assert set(dataset.metrics) <= set(plugin_names("dpt_bench.metrics"))
    assert not set(suite.missing) & {dataset.recipe for dataset in suite.datasets}
    assert not suite.missing or suite.status in ("partial", "user")


def test_midas_follows_the_paper_on_kitti_nyu_and_tum() -> None:
    """TPAMI 2022, section 6: longer side 384, on KITTI the shorter one; caps 80, 10 and 10 m; share of delta > 1.25."""
    datasets = {dataset.recipe: dataset for dataset in SUITES.load("midas").datasets}
    for name, side, cap in (("kitti", "shorter", 80), ("nyu", "longer", 10), ("tum", "longer", 10)):
        dataset = datasets[name]
        assert dataset.resize == ResizeRule(side=side, size=384, multiple_of=32, interpolation="cubic")
        assert (dataset.cap_m, dataset.crop, dataset.upsample) == (cap, "none", "bilinear")
        assert (dataset.alignment, dataset.alignment_space) == ("scale_and_shift", "disparity")
        assert dataset.metrics[0] == "delta_above_1_25"
    assert {name: datasets[name].split for name in ("kitti", "nyu", "tum")} == {
        "kitti": "midas161", "nyu": "test", "tum": "midas1815",
    }  # fmt: skip
    assert datasets["nyu"].target_range_m == (0.0, 10.0)
    assert datasets["kitti"].target_range_m == (0.0, float("inf"))
