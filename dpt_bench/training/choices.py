"""The tables of a preset: what of a run can be chosen."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from dpt_bench.core.toml import Strict, check
from dpt_bench.loading.augment import CropRule
from dpt_bench.model.spec import ModelSpec
from dpt_bench.model.variants import variant_spec


class ModelChoice(Strict):
    """The network: a variant by name, with single keys of its ModelSpec changed by `spec`.

    pretrained: fetch the backbone's ImageNet weights; or a path to a file that holds them.
    start: begin with all weights of a trained network, whatever `load_model` reads; its output may mean something else.
    Both paths are relative to the folder in which the run is started.
    """

    variant: str
    pretrained: bool | Path = False
    start: Path | None = None
    spec: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _begins_once(self) -> ModelChoice:
        if self.start is not None and self.pretrained is not False:
            raise ValueError("start gives all weights, so that pretrained ones have no place: set pretrained = false")
        return self

    def files(self) -> dict[str, Path]:
        """The files that weights are read from, by the names of their keys."""
        chosen = {"pretrained": self.pretrained, "start": self.start}
        return {name: path for name, path in chosen.items() if isinstance(path, Path)}

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
    weights: "uniform" (DPT, sec. 4.1) or as the mix says. draw: a dataset for every sample by itself (DPT), or a
    "quota" of each in every batch (MiDaS, sec. 6). workers: processes that prepare batches, of each rank.
    zoom, colour, greyscale, blur: augmentations beyond those of the papers, off at 1, 0, 0 and 0. The rule
    "crop-then-resize" takes no zoom: `smallest_crop` is its own.
    """

    mix: str | None = None
    datasets: tuple[str, ...] | None = None
    weights: Literal["uniform", "mix"] = "uniform"
    draw: Literal["independent", "quota"] = "independent"
    crop_rule: CropRule = "shorter-side"
    smallest_crop: float = Field(default=0.5, gt=0, le=1)
    flip: float = Field(default=0.5, ge=0, le=1)
    zoom: float = Field(default=1.0, ge=1, le=4)
    colour: float = Field(default=0.0, ge=0, lt=1)
    greyscale: float = Field(default=0.0, ge=0, le=1)
    blur: float = Field(default=0.0, ge=0, le=1)
    window_shards: int = Field(default=8, ge=1)
    max_broken: float = Field(default=0.01, ge=0, le=1)
    workers: int = Field(default=2, ge=0)

    @model_validator(mode="after")
    def _zooms_where_it_can(self) -> DataChoice:
        if self.zoom != 1 and self.crop_rule == "crop-then-resize":
            raise ValueError('the rule "crop-then-resize" zooms by smallest_crop: set that, and leave zoom = 1')
        return self


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


class MultiObjectiveChoice(Strict):
    """How the datasets of a step become one gradient.

    method: "uniform", the mean over images (naive mixing of MiDaS, sec. 5), or "mgda", the min-norm point of the
        gradients of the datasets (Sener and Koltun, NeurIPS 2018), over all shared parameters: all of the network.
    every: solve for the weights in every n-th step; those between use the latest, and cost what a uniform step costs.
    parameters: solve on the gradients of these alone, named by what their names begin with, such as "fusion.".
    """

    method: Literal["uniform", "mgda"] = "uniform"
    every: int = Field(default=1, ge=1)
    parameters: tuple[str, ...] | None = None


class StageChoice(Strict):
    """A part of a run that draws from some of the datasets only.

    steps, or epochs: how long; the last stage lasts to the end of the run. mix: only members of this mix of the
    catalogue. datasets: only these; without either, all of the run's. What the shards lack is left out.
    """

    name: str
    steps: int | None = Field(default=None, ge=1)
    epochs: int | None = Field(default=None, ge=1)
    mix: str | None = None
    datasets: tuple[str, ...] | None = None

    @model_validator(mode="after")
    def _has_one_length(self) -> StageChoice:
        if (self.steps is None) == (self.epochs is None):
            raise ValueError("a stage needs steps or epochs")
        return self


class ValidationChoice(Strict):
    """Every so many steps, and after the last one; `max_images` of each dataset.

    pictures: that many images, spread over the datasets, are drawn with their predictions each time.
    """

    every: int = Field(default=1000, ge=1)
    split: str = "val"
    max_images: int | None = Field(default=None, ge=1)
    batch_size: int = Field(default=8, ge=1)
    pictures: int = Field(default=6, ge=0)


class CheckpointChoice(Strict):
    """Every so many steps, and after the last one; the newest `keep` stay, and the best."""

    every: int = Field(default=1000, ge=1)
    keep: int = Field(default=3, ge=1)
