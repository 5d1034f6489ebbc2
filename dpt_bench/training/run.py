"""What one rank of a run was asked to do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dpt_bench.core.progress import Progress
from dpt_bench.shards import Shards
from dpt_bench.training.config import Preset
from dpt_bench.training.distributed import World


@dataclass(frozen=True)
class Run:
    """progress: told on rank 0 alone. out: the run folder."""

    preset: Preset
    shards: Shards
    out: Path
    world: World
    progress: Progress
