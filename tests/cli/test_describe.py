"""`dpt-bench list`: every suite of the catalog can be shown, with its status and what it lacks."""

from __future__ import annotations

import pytest

from dpt_bench.cli._describe import describe, titles
from dpt_bench.core.catalog import SUITES


@pytest.mark.parametrize("name", SUITES.names())
def test_every_suite_says_its_status_and_each_of_its_sets(name: str) -> None:
    suite = SUITES.load(name)
    shown = " ".join(describe("suites", name).split())
    assert f"status {suite.status}" in shown
    for dataset in suite.datasets:
        assert f"{dataset.recipe} Images: " in shown
    for missing in suite.missing:
        assert missing in shown
    assert titles("suites")[name] == f"{suite.title} [{suite.status}]"
