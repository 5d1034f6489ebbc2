"""The preset: a training run as a TOML file, found by its file name like every catalog."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from dpt_bench.core.errors import UnknownNameError, UsageError
from dpt_bench.core.toml import Strict, check, read_toml
from dpt_bench.losses import PAPER, DepthLossOptions
from dpt_bench.training.choices import (
    CheckpointChoice,
    DataChoice,
    ModelChoice,
    MultiObjectiveChoice,
    OptimiserChoice,
    StageChoice,
    ValidationChoice,
)
from dpt_bench.training.overrides import merged

PRESETS = Path(__file__).with_name("presets")


class Preset(Strict):
    """A run in full.

    batch_size: images of one optimiser step over all processes; each runs its share in `accumulate` equal parts.
    steps: optimiser steps of the run, whatever stages and epochs say; if absent, those of the stages, or `epochs`.
    epoch_size, epoch_unit: an epoch is so many "steps" (DPT, sec. 4.1: 72,000) or "images" (MiDaS, sec. 5: 72,000).
    stages: parts of the run in their order; none for a single one. crop: side of the training views in pixels.
    precision: "bf16" means autocast, "fp64" is for tests. ema: decay of the weights' moving average, None for none.
    compile: run the network through torch.compile, once for each size of `accumulate`'s parts; with multiple-gradient
        descent, once for one image of a dataset and once for any more, and for the steps between its solutions.
    gradient_checkpointing: compute activations again in the backward pass instead of keeping them: about a third more
        time, a fraction of the memory, the same numbers.
    device: "auto" takes a GPU where there is one. wandb: name of a Weights & Biases project to log to.
    """

    name: str
    title: str
    citation: str = ""
    task: str = "depth"
    seed: int = 0
    batch_size: int = Field(ge=1)
    accumulate: int = Field(default=1, ge=1)
    steps: int | None = Field(default=None, ge=1)
    epochs: int | None = Field(default=None, ge=1)
    epoch_size: int = Field(default=72_000, ge=1)
    epoch_unit: Literal["steps", "images"] = "steps"
    crop: int = Field(default=384, ge=32, multiple_of=32)
    precision: Literal["fp32", "bf16", "fp64"] = "fp32"
    device: Literal["auto", "cpu", "cuda"] = "auto"
    compile: bool = False
    channels_last: bool = True
    gradient_checkpointing: bool = False
    ema: float | None = Field(default=None, gt=0, lt=1)
    log_every: int = Field(default=10, ge=1)
    wandb: str | None = None
    model: ModelChoice
    data: DataChoice = DataChoice()
    stages: tuple[StageChoice, ...] = ()
    loss: DepthLossOptions = PAPER
    multi_objective: MultiObjectiveChoice = MultiObjectiveChoice()
    optimiser: OptimiserChoice
    validation: ValidationChoice = ValidationChoice()
    checkpoints: CheckpointChoice = CheckpointChoice()

    @model_validator(mode="after")
    def _has_a_length(self) -> Preset:
        if self.steps is None and (self.epochs is None) == (not self.stages):
            raise ValueError("give steps, or epochs, or stages with their own")
        return self

    @model_validator(mode="after")
    def _trims_within_one_pass(self) -> Preset:
        if self.trims_over_the_batch and (self.accumulate > 1 or self.multi_objective.method != "uniform"):
            raise ValueError(
                'loss.trim_scope = "batch" ranks the residuals of all images of a step together, which accumulation '
                'and multiple-gradient descent see in parts: use "image", or accumulate = 1 and method = "uniform"'
            )
        return self

    @property
    def trims_over_the_batch(self) -> bool:
        """Whether the loss needs all images of a step in one pass of one process."""
        return self.loss.trim > 0 and self.loss.trim_scope == "batch"

    @property
    def total_steps(self) -> int:
        """Optimiser steps of the whole run."""
        if self.steps is not None:
            return self.steps
        if self.stages:
            return sum(self._length(stage) for stage in self.stages)
        assert self.epochs is not None
        return self.steps_of(self.epochs)

    def steps_of(self, epochs: int, unit: Literal["steps", "images"] | None = None) -> int:
        """Optimiser steps of so many epochs, of the preset's unit or of another."""
        size = epochs * self.epoch_size
        return size if (unit or self.epoch_unit) == "steps" else -(-size // self.batch_size)

    @property
    def num_epochs(self) -> int | None:
        """Epochs of the whole run; None where it is given in steps."""
        if self.steps is not None or any(stage.epochs is None for stage in self.stages):
            return None
        return sum(stage.epochs or 0 for stage in self.stages) or self.epochs

    def stage_bounds(self) -> list[tuple[StageChoice | None, int, int]]:
        """(stage, its first step, the step after its last one); of a run without stages, (None, 0, total)."""
        if not self.stages:
            return [(None, 0, self.total_steps)]
        bounds: list[tuple[StageChoice | None, int, int]] = []
        first = 0
        for number, stage in enumerate(self.stages):
            is_last = number == len(self.stages) - 1
            end = self.total_steps if is_last else min(first + self._length(stage), self.total_steps)
            if end > first:
                bounds.append((stage, first, end))
            first = end
        return bounds

    def _length(self, stage: StageChoice) -> int:
        return stage.steps if stage.steps is not None else self.steps_of(stage.epochs or 0)


def preset_names() -> list[str]:
    """Names of the presets that come with the package."""
    return sorted(path.stem for path in PRESETS.glob("*.toml"))


def load_preset(name_or_path: str | Path, overrides: dict[str, Any] | None = None) -> Preset:
    """The preset of this name, or of the file at this path (anything that ends in .toml), with single keys changed.

    Args:
        name_or_path: one of `preset_names()`, or a path.
        overrides: dotted key -> value, a string being read as TOML where it is TOML: {"optimiser.lr_decoder": "3e-4"}.

    Raises:
        UnknownNameError: no preset has the name.
        UsageError: the file is missing or breaks the schema, or an override does.
    """
    path = Path(name_or_path)
    if path.suffix != ".toml":
        if str(name_or_path) not in preset_names():
            raise UnknownNameError("preset", str(name_or_path), preset_names())
        path = PRESETS / f"{name_or_path}.toml"
    tables = read_toml(path)
    preset = check(tables, Preset, where=path, name=path.stem)
    return changed(preset, tables, overrides) if overrides else preset


def changed(preset: Preset, tables: dict[str, Any], overrides: dict[str, Any]) -> Preset:
    """The preset with single keys of its tables changed; see `load_preset`."""
    settings = ", ".join(f"--set {key}={value}" for key, value in overrides.items())
    try:
        return check(merged(tables, overrides), Preset, where=settings, name=preset.name)
    except UsageError as error:
        fix = f"`dpt-bench list presets {preset.name}` shows every key and its value"
        raise UsageError(error.what, where=error.where, fix=fix) from None
