"""Checkpoints of tiny networks with random weights."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
import torch

from dpt_bench.model import VARIANTS, Checkpoint, build_model, save_checkpoint


@pytest.fixture(scope="session")
def make_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    @cache
    def make(name: str = "mine.pt", trained_on: tuple[str, ...] = (), **changes: object) -> Path:
        spec = VARIANTS["dpt-tiny"].model_copy(update={"non_negative": False, **changes})
        torch.manual_seed(0)
        path = tmp_path_factory.mktemp("checkpoint") / name
        save_checkpoint(path, Checkpoint(spec, build_model(spec).state_dict(), trained_on=trained_on))
        return path

    return make


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    torch.set_num_threads(1)
