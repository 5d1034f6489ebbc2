"""Renders scenes on all cores and hands them to each reader's `write_example`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from dpt_bench.core.catalog import EVAL_RECIPES, TRAIN_RECIPES
from dpt_bench.core.errors import UnknownNameError, UsageError
from dpt_bench.core.processes import leave_with_parent
from dpt_bench.core.progress import Progress
from dpt_bench.core.recipe import Recipe
from dpt_bench.readers import load_reader
from dpt_bench.scenes import Style, render_scene, style_for
from dpt_bench.scenes.scene import Scene

SCENES_AHEAD = 64
"""Scenes in memory at a time: the writer is fed in blocks of this many."""


@dataclass(frozen=True)
class WorldOptions:
    """How much of the sample world is written; `datasets` None means every recipe that trains or evaluates."""

    train_scenes: int
    eval_scenes: int
    datasets: tuple[str, ...] | None
    seed: int
    workers: int | None


def write_sample_world(folder: Path, options: WorldOptions, progress: Progress) -> dict[str, Path]:
    """Write raw trees below folder/raw and folder/eval; returns dataset -> its root.

    Raises:
        UsageError: an unknown dataset, or a tree that is already there (nothing is overwritten).
    """
    jobs = _jobs(folder, options)
    taken = [root for root, _, _ in jobs.values() if root.exists() and any(root.iterdir())]
    if taken:
        raise UsageError(
            "the sample world does not overwrite a folder that holds something",
            where=", ".join(str(root) for root in taken),
            fix="choose another folder, or delete these",
        )
    workers = options.workers or os.cpu_count() or 1
    with ProcessPoolExecutor(workers, get_context("spawn"), leave_with_parent) as pool:
        for name, (root, recipe, count) in jobs.items():
            task = f"sample world: {name}"
            progress.start(task, count)
            try:
                root.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise UsageError(
                    f"cannot write here: {error.strerror}", where=root, fix="choose another folder"
                ) from error
            reader = load_reader(recipe)
            stereo = getattr(reader, "EXAMPLE_IS_STEREO", False)
            scenes = _rendered(pool, partial(_render, style_for(recipe.name), options.seed, stereo), count)
            reader.write_example(root, recipe, _counted(scenes, progress, task))
            progress.finish(task)
    return {name: root for name, (root, _, _) in jobs.items()}


def _jobs(folder: Path, options: WorldOptions) -> dict[str, tuple[Path, Recipe, int]]:
    jobs = {}
    for catalog, place, count in (
        (TRAIN_RECIPES, "raw", options.train_scenes),
        (EVAL_RECIPES, "eval", options.eval_scenes),
    ):
        for name in catalog.names():
            jobs[name] = (folder / place / name, catalog.load(name), count)
    if options.datasets is None:
        return jobs
    for name in options.datasets:
        if name not in jobs:
            raise UnknownNameError("dataset", name, jobs)
    return {name: jobs[name] for name in options.datasets}


def _render(style: Style, seed: int, stereo: bool, index: int) -> Scene:
    scene = render_scene(style, seed, index)
    if stereo:
        _ = scene.right  # rendered here, in the worker, and kept by the scene
    return scene


def _rendered(pool: ProcessPoolExecutor, render: Callable[[int], Scene], count: int) -> Iterator[Scene]:
    for start in range(0, count, SCENES_AHEAD):
        yield from pool.map(render, range(start, min(start + SCENES_AHEAD, count)), chunksize=4)


def _counted(scenes: Iterator[Scene], progress: Progress, task: str) -> Iterator[Scene]:
    for scene in scenes:
        yield scene
        progress.advance(task)
