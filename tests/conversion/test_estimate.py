from __future__ import annotations

from pathlib import Path
from typing import Any

from dpt_bench.conversion.convert_item import Source
from dpt_bench.conversion.estimate import TYPICAL_BYTES, estimate_bytes
from dpt_bench.conversion.options import BuildOptions
from dpt_bench.conversion.plan import DatasetPlan, plan_dataset
from dpt_bench.core.mix import Member
from dpt_bench.core.recipe import load_recipe


def _planned(toy: Any) -> tuple[DatasetPlan, Source]:
    plan = plan_dataset(load_recipe(toy.recipe), toy.root, Member(recipe="toy"), BuildOptions())
    return plan, Source.open(str(toy.recipe), plan.identity.recipe_sha256, Path(toy.root))


def test_it_follows_the_options(toy: Any) -> None:
    plan, source = _planned(toy)
    fine = estimate_bytes(plan, source, BuildOptions(jpeg_quality=100).sample)
    coarse = estimate_bytes(plan, source, BuildOptions(jpeg_quality=30).sample)
    assert 9 * 2000 < coarse < fine < 9 * 100_000


def test_items_that_cannot_be_read_count_as_typical(toy: Any) -> None:
    for path in toy.root.rglob("*.png"):
        path.write_bytes(b"")
    plan, source = _planned(toy)
    assert estimate_bytes(plan, source, BuildOptions().sample) == 9 * TYPICAL_BYTES
