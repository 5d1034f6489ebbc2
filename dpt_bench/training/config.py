"""The preset: a training run as a TOML file, found by its file name like every catalog."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from dpt_bench.core.errors import UnknownNameError, UsageError
from dpt_bench.core.toml import Strict, check, read_toml
from dpt_bench.loading.augment import CropRule
from dpt_bench.losses import PAPER, DepthLossOptions
from dpt_bench.model.spec import ModelSpec
from dpt_bench.model.variants import variant_spec
from dpt_bench.training.overrides import merged

PRESETS = Path(__file__).with_name("presets")


class ModelChoice(Strict):
    """The network: a variant by name, with single keys of its ModelSpec changed by `spec`.

    pretrained: fetch the backbone's ImageNet weights; or a path to a file that holds them.
    """

    variant: str
    pretrained: bool | Path = False
    spec: dict[str, Any] = Field(default_factory=dict)

    def resolved(self, crop: int) -> ModelSpec:
        """The spec in full; `train_size` is the side of the training views, unless `spec` says otherwise.

        Raises:
            UnknownNameError: no variant has the name.
            UsageError: `spec` names a key that a ModelSpec lacks, or a value it refuses.
        """
        base = variant_spec(self.variant).model_dump()
        return check(
            {**base, "train_size": crop, **self.spec}, ModelSpec, where=f"model.spec, on top of {self.variant}"
        )


class DataChoice(Strict):
    """What is drawn from the shards, and how views are cut; see `loading.LoaderOptions` and `loading.AugmentOptions`.

    mix: name of the mix that the shards must be of, None for any. datasets: of it, None for all that are there.
    weights: "uniform" (DPT, sec. 4.1) or as the mix says. workers: processes that prepare batches, of each rank.
    """

    mix: str | None = None
    datasets: tuple[str, ...] | None = None
    weights: Literal["uniform", "mix"] = "uniform"
    crop_rule: CropRule = "shorter-side"
    smallest_crop: float = Field(default=0.5, gt=0, le=1)
    flip: float = Field(default=0.5, ge=0, le=1)
    window_shards: int = Field(default=8, ge=1)
    max_broken: float = Field(default=0.01, ge=0, le=1)
    workers: int = Field(default=2, ge=0)


class OptimiserChoice(Strict):
    """Adam with a rate for the pretrained backbone and one for the rest.

    schedule: of both rates after `warmup` linear steps: "constant", "cosine" to `final` times the rate, or "poly",
    (1 - progress)^0.9. weight_decay: of "adamw", for weights of two and more dimensions. clip: greatest norm of the
    gradient.
    """

    name: Literal["adam", "adamw"] = "adam"
    lr_backbone: float = Field(gt=0)
    lr_decoder: float = Field(gt=0)
    betas: tuple[float, float] = (0.9, 0.999)
    weight_decay: float = Field(default=0.0, ge=0)
    warmup: int = Field(default=0, ge=0)
    schedule: Literal["constant", "cosine", "poly"] = "constant"
    final: float = Field(default=0.0, ge=0, le=1)
    clip: float | None = Field(default=None, gt=0)


class ValidationChoice(Strict):
    """Every so many steps, and after the last one; `max_images` of each dataset."""

    every: int = Field(default=1000, ge=1)
    split: str = "val"
    max_images: int | None = Field(default=None, ge=1)
    batch_size: int = Field(default=8, ge=1)


class CheckpointChoice(Strict):
    """Every so many steps, and after the last one; the newest `keep` stay, and the best."""

    every: int = Field(default=1000, ge=1)
    keep: int = Field(default=3, ge=1)


class Preset(Strict):
    """A run in full.

    batch_size: images of one optimiser step over all processes; each runs its share in `accumulate` equal parts.
    steps: optimiser steps; if absent, `epochs` times `epoch_steps` (DPT: 60 of 72,000 steps) or times `epoch_images`
        (MiDaS: 60 of 72,000 images). crop: side of the training views in pixels.
    precision: "bf16" means autocast, "fp64" is for tests. ema: decay of the weights' moving average, None for none.
    device: "auto" takes a GPU where there is one.
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
    epoch_steps: int | None = Field(default=None, ge=1)
    epoch_images: int | None = Field(default=None, ge=1)
    crop: int = Field(default=384, ge=32, multiple_of=32)
    precision: Literal["fp32", "bf16", "fp64"] = "fp32"
    device: Literal["auto", "cpu", "cuda"] = "auto"
    compile: bool = False
    channels_last: bool = True
    ema: float | None = Field(default=None, gt=0, lt=1)
    multi_objective: Literal["uniform"] = "uniform"
    log_every: int = Field(default=10, ge=1)
    model: ModelChoice
    data: DataChoice = DataChoice()
    loss: DepthLossOptions = PAPER
    optimiser: OptimiserChoice
    validation: ValidationChoice = ValidationChoice()
    checkpoints: CheckpointChoice = CheckpointChoice()

    @model_validator(mode="after")
    def _has_one_length(self) -> Preset:
        if self.steps is None and (self.epochs is None or (self.epoch_steps is None) == (self.epoch_images is None)):
            raise ValueError("give steps, or epochs with one of epoch_steps and epoch_images")
        return self

    @property
    def total_steps(self) -> int:
        """Optimiser steps of the whole run."""
        if self.steps is not None:
            return self.steps
        assert self.epochs is not None
        if self.epoch_steps is not None:
            return self.epochs * self.epoch_steps
        assert self.epoch_images is not None
        return -(-self.epochs * self.epoch_images // self.batch_size)


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
