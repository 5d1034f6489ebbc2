"""The small shards of the loading tests."""

from __future__ import annotations

import runpy
from pathlib import Path

_LOADING = runpy.run_path(str(Path(__file__).parents[1] / "loading" / "conftest.py"))
small_shards, shards_url = _LOADING["small_shards"], _LOADING["shards_url"]
