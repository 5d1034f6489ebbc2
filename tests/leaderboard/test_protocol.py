from __future__ import annotations

from dpt_bench.core.catalog import RECIPES, SUITES
from dpt_bench.core.suite import ResizeRule, SuiteDataset
from dpt_bench.leaderboard.protocol import protocol_words
from dpt_bench.metrics import AnyMetric, load_metric


def words(entry: SuiteDataset, **metrics: AnyMetric) -> dict[str, str]:
    return dict(protocol_words(entry, None, metrics))


def entry(**changes: object) -> SuiteDataset:
    facts = {"recipe": "kitti", "split": "test", "metrics": ("absrel",), "resize": ResizeRule(side="longer")}
    return SuiteDataset.model_validate({**facts, **changes})


def test_the_midas_protocol_on_kitti_in_words() -> None:
    suite = SUITES.load("midas")
    kitti = next(dataset for dataset in suite.datasets if dataset.recipe == "kitti")
    said = dict(protocol_words(kitti, RECIPES.load("kitti"), {"delta_above_1_25": load_metric("delta_above_1_25")}))
    assert said["Images"].startswith("161 images, split 'midas161'")
    assert "its shorter side becomes 384 pixels, both sides rounded to multiples of 32" in said["Input"]
    assert said["Alignment"].startswith("For each image a scale and a shift are fitted by least squares in disparity")
    assert said["Cap"] == "Aligned predictions are clamped to at most 80 m."
    assert said["Crop"] == "None."


def test_every_field_of_a_suite_changes_the_words() -> None:
    base = words(entry())
    changes = [
        {"split": "other"},
        {"metrics": ("rmse",)},
        {"resize": ResizeRule(side="shorter")},
        {"resize": ResizeRule(side="longer", size=512)},
        {"resize": ResizeRule(side="longer", multiple_of=14)},
        {"resize": ResizeRule(side="longer", interpolation="area")},
        {"alignment_space": "depth"},
        {"alignment_space": "log_depth"},
        {"alignment": "scale"},
        {"alignment": "none"},
        {"cap_m": 10.0},
        {"target_range_m": (0.0, 10.0)},
        {"target_range_m": (0.5, float("inf"))},
        {"crop": "garg"},
        {"crop": "eigen"},
        {"crop": "nyu_eigen"},
        {"crop": "nyu_eigen_scaled"},
        {"upsample": "bicubic"},
        {"alignment_space": "prediction"},
        {"alignment_max_side": 1024},
        {"cap_at_farthest": True},
        {"target_max_ratio": 1000.0},
        {"input_crop": "kitti_benchmark"},
        {"input_crop": "kitti_benchmark_scaled"},
        {"input_crop": "kitti_benchmark", "crop": "garg"},
        {"input_crop": "kitti_benchmark", "crop": "garg", "crop_frame": "whole"},
    ]
    said = [tuple(words(entry(**change)).items()) for change in changes]
    assert tuple(base.items()) not in said
    assert len(set(said)) == len(said)


def test_every_resize_rule_is_said() -> None:
    sides = ("longer", "shorter", "minimal", "upper_bound", "lower_bound", "exact", "native")
    said = {words(entry(resize=ResizeRule(side=side)))["Input"] for side in sides}
    assert len(said) == len(sides)


def test_ordinal_pairs_are_not_aligned() -> None:
    whdr = load_metric("whdr")
    said = words(entry(metrics=("whdr",)), whdr=whdr)
    assert "nothing is aligned" in said["Output"]
    assert "Alignment" not in said
    assert said["Metric"] == f"WHDR, lower is better. {whdr.citation}."
    beside = words(entry(), whdr=whdr, absrel=load_metric("absrel"))
    assert "Alignment" in beside, "another set of the suite has pairs, this one has not"
