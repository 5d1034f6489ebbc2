"""Bootstrap intervals, paired differences and the improvement column."""

from __future__ import annotations

import csv
import time
from pathlib import Path

import numpy as np
import pytest

from dpt_bench.results import bootstrap_interval, improvement, paired_difference


def test_interval_holds_the_mean_and_narrows_with_more_images() -> None:
    values = np.random.default_rng(0).normal(0.3, 0.1, 4000)
    few, many = bootstrap_interval(values[:100]), bootstrap_interval(values)
    assert few.low < values[:100].mean() < few.high
    assert many.high - many.low < (few.high - few.low) / 3


def test_interval_agrees_with_the_normal_approximation() -> None:
    values = np.random.default_rng(1).normal(size=2000)
    half = 1.96 * values.std() / np.sqrt(values.size)
    interval = bootstrap_interval(values, num_resamples=5000)
    assert interval.low == pytest.approx(values.mean() - half, abs=0.15 * half)
    assert interval.high == pytest.approx(values.mean() + half, abs=0.15 * half)


def test_coverage_is_near_its_level() -> None:
    generator = np.random.default_rng(2)
    inside = 0
    for seed in range(200):
        interval = bootstrap_interval(generator.exponential(size=60), num_resamples=400, seed=seed)
        inside += interval.low < 1.0 < interval.high
    assert 0.87 <= inside / 200 <= 0.99


def test_the_same_images_in_any_order_give_the_same_interval() -> None:
    values = np.random.default_rng(3).random(50)
    assert bootstrap_interval(values) == bootstrap_interval(values[::-1].copy())
    assert bootstrap_interval(values) != bootstrap_interval(values, seed=1)


@pytest.mark.parametrize("values", [[], [0.5]])
def test_fewer_than_two_images_leave_the_interval_undefined(values: list[float]) -> None:
    interval = bootstrap_interval(np.array(values))
    assert np.isnan(interval.low)
    assert np.isnan(interval.high)


def test_chunks_do_not_change_the_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(4).random(30)
    whole = bootstrap_interval(values)
    monkeypatch.setattr("dpt_bench.results.statistics._CHUNK_DRAWS", 7 * 30)
    assert bootstrap_interval(values) == whole


def test_the_largest_set_takes_seconds() -> None:
    began = time.perf_counter()
    bootstrap_interval(np.random.default_rng(5).random(74_441))
    assert time.perf_counter() - began < 20  # 2 to 4 s on two idle cores


def test_paired_difference_sees_what_the_intervals_cannot() -> None:
    generator = np.random.default_rng(6)
    hardness = generator.normal(1.0, 0.5, 200)
    first = {str(key): value for key, value in enumerate(hardness)}
    second = {str(key): value - 0.02 + generator.normal(0, 0.05) for key, value in enumerate(hardness)}
    difference = paired_difference(first, second | {"only here": 9.0})
    assert difference.n_images == 200
    assert difference.resolved
    assert difference.interval.low < difference.mean < difference.interval.high
    wide = bootstrap_interval(np.array(list(first.values())))
    assert wide.high - wide.low > 3 * (difference.interval.high - difference.interval.low)


def test_equal_models_are_not_resolved() -> None:
    generator = np.random.default_rng(7)
    scores = {str(key): value for key, value in enumerate(generator.random(100))}
    noisy = {key: value + generator.normal(0, 0.1) for key, value in scores.items()}
    assert not paired_difference(scores, scores).resolved
    assert not paired_difference(scores, dict(zip(noisy, noisy.values(), strict=True)), seed=1).resolved


def test_models_without_a_common_image() -> None:
    difference = paired_difference({"a": 1.0}, {"b": 1.0})
    assert difference.n_images == 0
    assert np.isnan(difference.mean)
    assert not difference.resolved


def test_improvement_needs_every_dataset_of_the_reference() -> None:
    assert improvement({"a": 0.5, "b": 1.5, "c": 9.0}, {"a": 1.0, "b": 1.0}) == pytest.approx(0.0)
    with pytest.raises(KeyError):
        improvement({"a": 0.5}, {"a": 1.0, "b": 1.0})


def test_improvement_column_of_midas_v31(shared_facts: Path) -> None:
    """The README's "Imp." follows from its own table, but for one row: Swin2B-384 is printed 22 and comes out as 20."""
    errors: dict[str, dict[str, float]] = {}
    printed: dict[str, int] = {}
    with (shared_facts / "published_zeroshot.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            note = row["train_set_or_note"]
            if row["source"] == "isl-org/MiDaS README v3.1" and note.startswith("imp="):
                name = f"{row['model']} {note}"
                errors.setdefault(name, {})[row["dataset"]] = float(row["value"])
                printed[name] = int(note.removeprefix("imp=").split("%")[0])
    reference = next(values for name, values in errors.items() if name.startswith("v3.0 DPTL-384"))
    ours = {name: round(100 * improvement(values, reference)) for name, values in errors.items()}
    assert len(ours) == 15
    assert {name: value for name, value in ours.items() if value != printed[name]} == {
        name: 20 for name in ours if "Swin2B-384" in name
    }
