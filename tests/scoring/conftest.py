"""Protocols, targets and the independent implementation."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from dpt_bench.core.kinds import DepthKind
from dpt_bench.core.sample import DepthMap
from dpt_bench.core.suite import ResizeRule, SuiteDataset


@pytest.fixture(scope="session")
def oracle() -> ModuleType:
    spec = importlib.util.spec_from_file_location("midas_oracle", Path(__file__).with_name("midas_oracle.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def make_protocol() -> Callable[..., SuiteDataset]:
    def make(**changes: object) -> SuiteDataset:
        facts = {
            "recipe": "some_set",
            "split": "test",
            "metrics": ("absrel", "delta_above_1_25", "rmse"),
            "resize": ResizeRule(side="longer"),
            "cap_m": 80.0,
        }
        return SuiteDataset.model_validate({**facts, **changes})

    return make


@pytest.fixture(scope="session")
def make_target() -> Callable[..., DepthMap]:
    def make(
        depth_m: np.ndarray, valid: np.ndarray | None = None, kind: DepthKind = DepthKind.METRIC_DEPTH
    ) -> DepthMap:
        values = depth_m.astype(np.float32)
        usable = np.isfinite(values) if valid is None else valid
        return DepthMap(np.where(usable, values, np.float32(np.nan)), kind, usable)

    return make


@pytest.fixture
def scene() -> tuple[np.ndarray, np.ndarray]:
    """(depth_m (40, 60), prediction (20, 32)): a ground with blocks on it, and a disparity that is not quite right."""
    generator = np.random.default_rng(0)
    depth_m = np.repeat(np.geomspace(70, 3, 40)[:, None], 60, axis=1)
    depth_m[10:25, 20:35] = 6.0
    smooth = 1 / depth_m[::2, ::2][:, :32]
    prediction = np.pad(smooth, ((0, 0), (0, 32 - smooth.shape[1])), mode="edge") * 300 + 40
    return depth_m, prediction + generator.normal(0, 4, prediction.shape)
