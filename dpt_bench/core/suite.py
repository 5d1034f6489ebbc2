"""The suite: a named, versioned evaluation protocol (DESIGN sections 2 and 6)."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from dpt_bench.core.kinds import DepthKind
from dpt_bench.core.recipe import beside
from dpt_bench.core.toml import Strict, load_toml

AlignmentSpace = Literal["disparity", "depth", "log_depth"]
SuiteSpace = Literal["disparity", "depth", "log_depth", "prediction"]
AlignmentModel = Literal["scale_and_shift", "scale", "none"]


class ResizeRule(Strict):
    """How an image is brought to the size a network sees, keeping its aspect as closely as `multiple_of` allows.

    side: "longer" / "shorter" brings that side to `size`; "minimal" scales least, "upper_bound" / "lower_bound" fit
        the image into / around size x size (MiDaS transforms.py); "exact" squashes; "native" only rounds.
    """

    side: Literal["longer", "shorter", "minimal", "upper_bound", "lower_bound", "exact", "native"]
    size: int = Field(default=384, ge=1)
    multiple_of: int = Field(default=32, ge=1)
    interpolation: Literal["nearest", "linear", "cubic", "area"] = "cubic"

    @property
    def words(self) -> str:
        """The rule as tables and pages print it."""
        size = "" if self.side == "native" else f" {self.size}"
        return f"{self.side}{size}, multiple of {self.multiple_of}, {self.interpolation}"


class SuiteDataset(Strict):
    """How one dataset is scored within a suite.

    recipe: a name, or a path to a TOML, relative to the suite file.
    input_crop: what of an image, and of its target, exists for network and scoring alike. "kitti_benchmark": the lower
        352 rows and the middle 1216 columns.
    crop: which pixels are scored. Names ending in _scaled take the same share of an image of any size: they are for the
        sample world, whose images are small (`for_sample_world`).
    crop_frame: whether a crop's fractions are of what input_crop leaves (Marigold) or of the whole image (BTS, DPT).
    alignment_space: "prediction" is the space of the prediction's own kind, disparity or depth.
    alignment_max_side: above it the fit sees only every n-th row and column, as Marigold's; metrics see all pixels.
    cap_m: aligned predictions are clamped to this depth, in metres (MiDaS: disparity floored at 1/cap).
    cap_at_farthest: the cap is the farthest scored pixel of the image's own target (MoGe).
    target_range_m: only target pixels inside (low, high), both exclusive, are scored; the recipe's validity holds too.
    target_max_ratio: pixels deeper than this many times the image's first percentile are not scored (MoGe).
    metrics: file names of dpt_bench.metrics; the first one makes the board's column.
    """

    recipe: str
    split: str
    metrics: tuple[str, ...] = Field(min_length=1)
    resize: ResizeRule
    input_crop: Literal["none", "kitti_benchmark", "kitti_benchmark_scaled"] = "none"
    alignment_space: SuiteSpace = "disparity"
    alignment: AlignmentModel = "scale_and_shift"
    alignment_max_side: int | None = Field(default=None, ge=1)
    cap_m: float | None = Field(default=None, gt=0)
    cap_at_farthest: bool = False
    target_range_m: tuple[float, float] = (0.0, float("inf"))
    target_max_ratio: float | None = Field(default=None, gt=1)
    crop: Literal["none", "garg", "eigen", "nyu_eigen", "nyu_eigen_scaled"] = "none"
    crop_frame: Literal["input", "whole"] = "input"
    upsample: Literal["bilinear", "bicubic", "nearest"] = "bilinear"

    @property
    def space(self) -> AlignmentSpace:
        """The alignment's space of an entry that `for_prediction` has settled."""
        assert self.alignment_space != "prediction", "for_prediction settles the space"
        return self.alignment_space

    def for_prediction(self, kind: DepthKind) -> SuiteDataset:
        """The entry with its alignment space settled for predictions of `kind`."""
        if self.alignment_space != "prediction":
            return self
        return self.model_copy(update={"alignment_space": "disparity" if kind.is_disparity else "depth"})

    def for_sample_world(self) -> SuiteDataset:
        """The entry as the sample world is scored: crops that are counted in pixels become shares of the image."""
        changes = {
            name: f"{crop}_scaled"
            for name, crop in (("input_crop", self.input_crop), ("crop", self.crop))
            if crop in ("kitti_benchmark", "nyu_eigen")
        }
        return self.model_copy(update=changes) if changes else self

    @model_validator(mode="after")
    def _has_one_cap(self) -> SuiteDataset:
        if self.cap_at_farthest and self.cap_m is not None:
            raise ValueError("cap_m and cap_at_farthest exclude each other")
        return self


class Suite(Strict):
    """A protocol. `status` says how sure we are that it is the published one; `note` says why."""

    name: str
    version: int = Field(ge=1)
    title: str
    citation: str
    status: Literal["confirmed", "reconstructed", "partial", "user"]
    note: str = ""
    missing: tuple[str, ...] = ()
    datasets: tuple[SuiteDataset, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _each_recipe_once(self) -> Suite:
        names = [dataset.recipe for dataset in self.datasets]
        if len(set(names)) != len(names):
            raise ValueError(f"a suite names each recipe once, got {names}")
        return self


def load_suite(path: Path) -> Suite:
    """Read a suite file; its stem is its name.

    Raises:
        UsageError: the file breaks the schema.
    """
    suite = load_toml(path, Suite, name=path.stem)
    datasets = tuple(one.model_copy(update={"recipe": beside(path, one.recipe)}) for one in suite.datasets)
    return suite.model_copy(update={"datasets": datasets})
