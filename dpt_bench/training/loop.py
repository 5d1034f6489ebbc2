"""The training loop: steps, log lines, validations and checkpoints in their order, from wherever the run stands."""

from __future__ import annotations

import math
import time
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import Any, Literal

import torch

from dpt_bench.core.errors import DptBenchError, UsageError
from dpt_bench.core.provenance import provenance
from dpt_bench.loading import Batch, PackedBatch
from dpt_bench.model.build import build_model
from dpt_bench.model.checkpoint import Checkpoint, read_checkpoint
from dpt_bench.training.checkpoints import BEST, CheckpointFolder
from dpt_bench.training.flops import flops_per_image, peak_flops_per_second
from dpt_bench.training.learner import DTYPES, Learner, seed_torch
from dpt_bench.training.log import RunLog, WeightsAndBiases
from dpt_bench.training.meter import Clock, Meter
from dpt_bench.training.run import Run
from dpt_bench.training.run_folder import preset_changes
from dpt_bench.training.signals import StopWish
from dpt_bench.training.stages import StagedLoader
from dpt_bench.training.start import begin_with, check_targets
from dpt_bench.training.tasks._contract import load_task
from dpt_bench.training.validation import Scores
from dpt_bench.training.validator import Validator


class Loop:
    """The state of a run on one rank. step: optimiser steps done."""

    def __init__(self, run: Run, loader: StagedLoader) -> None:
        self.step = 0
        self._trained_before: tuple[str, ...] = ()
        self.folder = CheckpointFolder(run.out, run.preset.checkpoints.keep)
        self._run, self._preset, self._world, self._loader = run, run.preset, run.world, loader
        self._spec = run.preset.model.resolved(run.preset.crop)
        self._task = load_task(run.preset)
        check_targets(self._task, loader.stages)
        seed_torch("weights", run.preset.seed)
        model = build_model(self._spec, pretrained=run.preset.model.pretrained)
        if run.preset.model.start is not None and not self.folder.newest_first():
            self._trained_before = begin_with(model, run.preset.model.start)
        self._learner = Learner(model, run.preset, self._task, run.world)
        self._validator = Validator(run, loader.selection().names, self._learner, self._task)
        self._clock, self._meter = Clock(), Meter(loader.selection().names, run.world, self._machine_share())
        if not self._validator.num_images:
            run.progress.message(
                f"WARNING: no dataset has a split {run.preset.validation.split!r}: nothing is validated, "
                f"and {BEST} will be the last checkpoint"
            )

    @property
    def best(self) -> Path | None:
        """The checkpoint to use, once there is one."""
        path = self._run.out / BEST
        return path if path.exists() else None

    def restore(self) -> None:
        """Go on from the newest intact checkpoint, if there is one.

        Raises:
            UsageError: it is of another network.
            DataError: all are damaged, or its data order is of another seed.
        """
        path = self._world.on_main(self._newest)
        if path is None:
            self._run.progress.message("there is no checkpoint to go on from: the run begins")
            return
        checkpoint = read_checkpoint(path)
        if checkpoint.spec != self._spec:
            raise UsageError("the run's checkpoint holds another network than the preset asks for", where=path,
                             fix="leave the model as it was, or choose another folder")  # fmt: skip
        self._learner.restore(checkpoint)
        self._loader.load_state_dict(checkpoint.loader or {})
        self.step, self._trained_before = checkpoint.step, checkpoint.trained_on
        self._run.progress.message(f"going on after step {self.step:,} from {path}")
        for change in preset_changes(checkpoint.preset or {}, self._preset):
            self._run.progress.message(f"changed since then: {change}")

    def _newest(self) -> Path | None:
        found = self.folder.newest_intact(self._run.progress)
        return None if found is None else found[0]

    def run(self, wish: StopWish) -> Literal["done", "interrupted"]:
        """Steps until the preset's end, or until the wish to stop comes true on any rank."""
        total = self._preset.total_steps
        self._run.progress.start("training", total - self.step)
        batches = iter(self._loader)
        with closing(self._log()) as log, closing(batches):
            while self.step < total:
                self._learn(batches, log)
                if self._due(self._preset.validation.every):
                    self._validate(log)
                stop = self._world.any(flag=wish.signal is not None)
                if stop or self._due(self._preset.checkpoints.every):
                    self._save()
                if stop and self.step < total:
                    log.write("interrupted", self.step, {"signal": wish.signal})
                    self._run.progress.message(f"stopped by a signal after step {self.step:,}; --resume goes on")
                    return "interrupted"
        self._run.progress.finish("training")
        return "done"

    def _due(self, every: int) -> bool:
        return self.step % every == 0 or self.step == self._preset.total_steps

    def _learn(self, batches: Generator[PackedBatch], log: RunLog) -> None:
        stage = self._loader.stage
        began = time.monotonic()
        batch = next(batches).to(self._world.device)
        waited_s = time.monotonic() - began
        if self._loader.stage is not stage:
            self._run.progress.message(f"step {self.step:,}: the stage {self._loader.stage.name!r} begins")
        outcome = self._learner.step(batch, self.step)
        if not outcome.finite:
            self._give_up(batch, outcome.gradient_norm)
        self.step += 1
        self._meter.add(outcome, waited_s)
        self._clock.step(time.monotonic() - began)
        self._run.progress.advance("training", 1, f"loss {float(outcome.losses.mean()):.4f}", self._left_s())
        if self.step % self._preset.log_every == 0 or self.step == self._preset.total_steps:
            found = self._learner.multi_objective.facts()
            log.write("step", self.step, self._meter.facts() | found | self._standing())

    def _left_s(self) -> float | None:
        left = self._preset.total_steps - self.step
        return self._clock.left_s(left, -(-left // self._preset.validation.every) if self._validator.num_images else 0)

    def _standing(self) -> dict[str, Any]:
        """Where the run stands: rates, passes over the data, broken samples, time to completion."""
        rates = {str(group["name"]): float(group["lr"]) for group in self._learner.optimiser.param_groups}
        return {
            "stage": self._loader.stage.name,
            "learning_rate": rates,
            "epochs": self._loader.epochs(),
            "broken_samples": self._loader.num_broken(),
            "seconds_left": self._left_s(),
        }

    def _validate(self, log: RunLog) -> None:
        began = time.monotonic()
        if self._validator.num_images:
            self._judge(self._validator.scores(self.step, log), log)
        elif self.step == self._preset.total_steps and self._world.is_main:
            self.folder.save_best(self._checkpoint(resumable=False), None)
        seconds = time.monotonic() - began
        self._meter.skip(seconds)
        self._clock.validation(seconds)

    def _judge(self, scores: Scores, log: RunLog) -> None:
        """Log the scores, and keep the network where it is the best so far."""
        means = {name: scores.mean(name) for name in self._task.score_names}
        log.write("validation", self.step, means | {"by_dataset": scores.by_dataset})
        self._run.progress.message(
            f"step {self.step:,}: " + ", ".join(f"{name} {value:.4f}" for name, value in means.items())
        )
        best, score = self.folder.best_score(), scores.mean()
        if self._world.is_main and math.isfinite(score) and (best is None or score < best):
            self.folder.save_best(self._checkpoint(resumable=False), score)

    def _save(self) -> None:
        if self._world.is_main:
            self.folder.save(self._checkpoint(resumable=True))

    def _checkpoint(self, *, resumable: bool) -> Checkpoint:
        average, trained_on = self._learner.average, self._loader.trained_on()
        return Checkpoint(
            spec=self._spec,
            weights=self._learner.model.state_dict(),
            ema=None if average is None else average.model.state_dict(),
            optimiser=self._learner.state() if resumable else None,
            step=self.step,
            loader=self._loader.state_dict(),
            rng={"seed": self._preset.seed, "rule": "torch is seeded before every step from (seed, step, rank)"},
            preset=self._preset.model_dump(mode="json"),
            provenance=provenance() | {"trained_on": trained_on.described},
            trained_on=tuple(dict.fromkeys((*trained_on.names, *self._trained_before))),
        )

    def _log(self) -> RunLog:
        run = self._run
        if not self._world.is_main:
            return RunLog(None, self.step)
        boards = (
            () if run.preset.wandb is None
            else (WeightsAndBiases(run.preset.wandb, run.out, run.preset.model_dump(mode="json")),)
        )  # fmt: skip
        return RunLog(run.out, self.step, boards)

    def _machine_share(self) -> float:
        """Share of the peak rate of all devices that one image a second takes."""
        kind = torch.bfloat16 if self._preset.precision == "bf16" else DTYPES[self._preset.precision]
        peak = self._world.size * peak_flops_per_second(self._world.device, kind)
        return flops_per_image(self._spec, self._preset.crop) / peak

    def _give_up(self, batch: Batch, gradient_norm: float) -> None:
        """Save the batch that made the numbers not finite, and end the run before they reach the weights."""
        path = self._run.out / f"not-finite-step-{self.step}-rank-{self._world.rank}.pt"
        tensors = {name: tensor.cpu().clone() for name, tensor in batch.tensors().items()}
        torch.save({**tensors, "keys": list(batch.keys), "step": self.step}, path)
        raise DptBenchError(
            f"step {self.step:,} is not finite (norm of the gradient: {gradient_norm})",
            where=f"{path}: the batch; {', '.join(batch.keys)}",
            fix="lower optimiser.lr_*, set optimiser.clip, or leave bf16; then go on with --resume",
        )
