"""Raw datasets to shards: a deterministic plan, one job a shard, three executors under one contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dpt_bench.core.lazy import lazy

if TYPE_CHECKING:
    from dpt_bench.conversion.driver import build
    from dpt_bench.conversion.inspect import InspectOptions, inspect_shards
    from dpt_bench.conversion.options import BuildOptions
    from dpt_bench.conversion.report import BuildFailed, BuildReport

__all__ = ["BuildFailed", "BuildOptions", "BuildReport", "InspectOptions", "build", "inspect_shards"]

# a worker needs little of it, and one starts for each core
__getattr__ = lazy(
    __name__,
    {
        "BuildFailed": ".report",
        "BuildOptions": ".options",
        "BuildReport": ".report",
        "InspectOptions": ".inspect",
        "build": ".driver",
        "inspect_shards": ".inspect",
    },
)
