"""The small shards of the loading tests, and one thread: threads of small networks only wait for one another."""

from __future__ import annotations

import runpy
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

_LOADING = runpy.run_path(str(Path(__file__).parents[1] / "loading" / "conftest.py"))
small_shards, shards_url = _LOADING["small_shards"], _LOADING["shards_url"]


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
