"""`train`: from a preset and shards to checkpoints, the same call for one process and for every rank of many."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import torch

from dpt_bench.core.progress import SILENT, Progress
from dpt_bench.shards import Shards, open_shards
from dpt_bench.training.checkpoints import LATEST
from dpt_bench.training.config import Preset, changed, load_preset
from dpt_bench.training.distributed import World, joined_world
from dpt_bench.training.loop import Loop
from dpt_bench.training.plan import describe_plan
from dpt_bench.training.report import TrainReport
from dpt_bench.training.run import Run
from dpt_bench.training.run_folder import prepare_folder, preset_toml, write_records
from dpt_bench.training.selection import select_datasets
from dpt_bench.training.signals import StopWish, stop_wish
from dpt_bench.training.stages import StagedLoader


def train(
    preset: Preset | str | Path,
    shards: Shards | str | Path,
    out: str | Path,
    *,
    overrides: dict[str, Any] | None = None,
    resume: bool = False,
    progress: Progress = SILENT,
) -> TrainReport:
    """Train a preset on shards; under torchrun every process calls this with the same arguments.

    Args:
        preset: a name, the path of a TOML, or a Preset.
        shards: what `build` made: a URL or path, or opened.
        out: the run folder: preset.toml, provenance.json, log.jsonl, tensorboard/, checkpoints/, best.pt.
        overrides: dotted key -> value, on top of the preset: {"optimiser.lr_decoder": 3e-4}.
        resume: go on from the folder's newest intact checkpoint; without one, begin.
        progress: told on rank 0.

    Raises:
        UsageError: an unknown preset, dataset or key, a value that does not fit, a folder that holds a run.
        DataError: more shards or checkpoints are damaged than allowed.
        DptBenchError: a loss was not finite; its batch is saved.
    """
    resolved = resolve(preset, overrides or {})
    opened = shards if isinstance(shards, Shards) else open_shards(shards)
    selection = select_datasets(opened, resolved.data)
    with joined_world(resolved.device) as world, stop_wish() as wish:
        run = Run(resolved, opened, Path(out), world, progress if world.is_main else SILENT)
        loader = StagedLoader(opened, resolved, selection, world)
        plan = describe_plan(resolved, loader, world.size) if world.is_main else ""
        return _trained(run, loader, plan, wish, resume=resume)


def plan_run(
    preset: Preset | str | Path,
    shards: Shards | str | Path,
    *,
    processes: int = 1,
    overrides: dict[str, Any] | None = None,
) -> str:
    """What `train` would do: datasets, stages, images, steps and memory in words, then the resolved preset as TOML.

    Nothing is started or written.

    Raises:
        UsageError: as `train`.
    """
    resolved = resolve(preset, overrides or {})
    opened = shards if isinstance(shards, Shards) else open_shards(shards)
    world = World(0, processes, torch.device("cpu"))
    loader = StagedLoader(opened, resolved, select_datasets(opened, resolved.data), world)
    return f"{describe_plan(resolved, loader, processes)}\n\n{preset_toml(resolved)}"


def _trained(run: Run, loader: StagedLoader, plan: str, wish: StopWish, *, resume: bool) -> TrainReport:
    began = time.monotonic()
    run.world.on_main(lambda: prepare_folder(run.out, resume=resume))
    run.progress.message(plan)
    loop = Loop(run, loader)
    if resume:
        loop.restore()
    described = loader.selection().described
    facts = {"shards": run.shards.url, "trained_on": described, "processes": run.world.size}
    run.world.on_main(lambda: write_records(run.out, run.preset, facts))
    status = loop.run(wish)
    latest = (run.out / LATEST).resolve()
    return TrainReport(
        status,
        run.out,
        loop.step,
        run.preset.total_steps,
        time.monotonic() - began,
        loader.trained_on().described,
        plan,
        best=loop.best,
        best_score=loop.folder.best_score(),
        latest=latest if latest.exists() else None,
    )


def resolve(preset: Preset | str | Path, overrides: dict[str, Any]) -> Preset:
    """A preset by name, by path or as it is, with single keys changed (see `load_preset`); its files by absolute paths.

    Processes on other nodes start in other folders, and the run's preset.toml may be trained again from anywhere.
    """
    if not isinstance(preset, Preset):
        chosen = load_preset(preset, overrides)
    else:
        tables = preset.model_dump(mode="json", exclude={"name"}, exclude_none=True)
        chosen = changed(preset, tables, overrides) if overrides else preset
    model = chosen.model
    paths = {name: path.expanduser().absolute() for name, path in model.files().items()}
    return chosen.model_copy(update={"model": model.model_copy(update=paths)})
