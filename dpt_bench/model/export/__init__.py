"""Networks in the formats of other projects, a target a file, found by its name."""

from __future__ import annotations

from dpt_bench.model.export._contract import Export
from dpt_bench.model.export._export import export_model

__all__ = ["Export", "export_model"]
