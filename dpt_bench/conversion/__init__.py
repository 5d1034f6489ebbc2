"""Raw datasets to shards: a deterministic plan, one job a shard, three executors under one contract."""

from __future__ import annotations

from dpt_bench.conversion.build import build
from dpt_bench.conversion.inspect import InspectOptions, inspect_shards
from dpt_bench.conversion.options import BuildOptions
from dpt_bench.conversion.report import BuildFailed, BuildReport

__all__ = ["BuildFailed", "BuildOptions", "BuildReport", "InspectOptions", "build", "inspect_shards"]
