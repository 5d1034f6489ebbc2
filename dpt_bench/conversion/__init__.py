"""Raw datasets to shards: a deterministic plan, one job a shard, three executors under one contract."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dpt_bench.conversion.driver import build
    from dpt_bench.conversion.inspect import InspectOptions, inspect_shards
    from dpt_bench.conversion.options import BuildOptions
    from dpt_bench.conversion.report import BuildFailed, BuildReport

__all__ = ["BuildFailed", "BuildOptions", "BuildReport", "InspectOptions", "build", "inspect_shards"]

# imported when it is first asked for: a worker needs little of it, and one starts for each core
_HOMES = {
    "BuildFailed": "report",
    "BuildOptions": "options",
    "BuildReport": "report",
    "InspectOptions": "inspect",
    "build": "driver",
    "inspect_shards": "inspect",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
