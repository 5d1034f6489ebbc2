"""Cells and results to fill a folder with."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dpt_bench.core.kinds import DepthKind
from dpt_bench.results import Cell, ImageResult, MetricFacts, Score

METRICS = (
    MetricFacts(name="delta_above_1_25", unit="fraction", better="lower"),
    MetricFacts(name="absrel", unit="fraction", better="lower"),
)


@pytest.fixture
def make_cell() -> Callable[..., Cell]:
    def make(**changes: object) -> Cell:
        facts = {
            "model": "mine",
            "checkpoint_sha256": "ab" * 32,
            "kind": DepthKind.AFFINE_DISPARITY,
            "scored_as": DepthKind.AFFINE_DISPARITY,
            "suite": "midas",
            "suite_version": 1,
            "dataset": "kitti",
            "position": 0,
            "split": "midas161",
            "metrics": METRICS,
            "resized_by": "suite",
            "resize_rule": "shorter 384, multiple of 32, cubic",
            "trained_on": ("megadepth", "redweb"),
            "published_keys_sha256": None,
            "sample_world": False,
            "settings": {"suite.cap_m": "80.0"},
            "package_version": "0.1.0",
        }
        return Cell.model_validate({**facts, **changes})

    return make


@pytest.fixture
def make_result() -> Callable[..., ImageResult]:
    def make(cell: Cell, key: str, value: float | None = 0.25, **changes: object) -> ImageResult:
        facts = {
            "model": cell.model,
            "checkpoint_sha256": cell.checkpoint_sha256,
            "kind": cell.kind,
            "suite": cell.suite,
            "suite_version": cell.suite_version,
            "dataset": cell.dataset,
            "key": key,
            "scores": tuple(Score(metric=metric.name, value=value, unit=metric.unit) for metric in cell.metrics),
            "input_height": 384,
            "input_width": 1280,
            "resized_by": cell.resized_by,
            "alignment_space": "disparity",
            "alignment": "scale_and_shift",
            "scale": 1.5,
            "shift": 0.1,
            "n_valid": 1000,
        }
        return ImageResult.model_validate({**facts, **changes})

    return make
