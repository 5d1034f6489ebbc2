"""Training: presets, tasks, the loop over shards, and checkpoints that resume exactly; one process, torchrun or Ray."""

from __future__ import annotations

from dpt_bench.training.config import Preset, load_preset, preset_names
from dpt_bench.training.overrides import parse_settings
from dpt_bench.training.report import TrainReport
from dpt_bench.training.trainer import plan_run, train

__all__ = ["Preset", "TrainReport", "load_preset", "parse_settings", "plan_run", "preset_names", "train"]
