"""A suite's protocol in words: every sentence follows from a field of the suite or of a recipe, so none can drift."""

from __future__ import annotations

from math import isfinite

from dpt_bench.core.kinds import DepthKind
from dpt_bench.core.recipe import Recipe
from dpt_bench.core.suite import ResizeRule, SuiteDataset
from dpt_bench.metrics import Metric

_SIDES = {
    "longer": "its longer side becomes {size} pixels",
    "shorter": "its shorter side becomes {size} pixels",
    "minimal": "the side that needs the smaller change becomes {size} pixels",
    "upper_bound": "it fits into {size} x {size} pixels",
    "lower_bound": "it covers {size} x {size} pixels",
}
_SPACES = {"disparity": "disparity (inverse depth)", "depth": "depth", "log_depth": "the logarithm of depth"}
_CROPS = {
    "garg": "Only pixels inside the Garg crop are scored (rows 40.8 % to 99.2 %, columns 3.6 % to 96.4 %).",
    "eigen": "Only pixels inside the Eigen crop are scored (rows 33.2 % to 91.4 %, columns 3.6 % to 96.4 %).",
    "nyu_eigen": "Only pixels inside Eigen's NYU crop are scored (rows 45 to 470, columns 41 to 600).",
}


def protocol_sentences(dataset: SuiteDataset, recipe: Recipe | None, metrics: dict[str, Metric]) -> list[str]:
    """How one dataset of a suite is scored, a sentence for each fact; `metrics` are those of the suite that exist."""
    sentences = [_images(dataset, recipe), _resize(dataset.resize)]
    if any(metric.needs is DepthKind.ORDINAL for metric in metrics.values()):
        sentences.append("The prediction is read at the annotated points of each image; nothing is aligned.")
    else:
        sentences += _comparison(dataset)
    sentences += [_metric(name, metrics.get(name)) for name in dataset.metrics]
    return [sentence for sentence in sentences if sentence]


def _images(dataset: SuiteDataset, recipe: Recipe | None) -> str:
    split = recipe.splits.get(dataset.split) if recipe else None
    count = f": {split.images:,} images" if split and split.images else ""
    note = f" ({split.note.rstrip('.')})" if split and split.note else ""
    return f"Images: the split {dataset.split!r} of {recipe.title if recipe else dataset.recipe}{count}{note}."


def _resize(rule: ResizeRule) -> str:
    multiple = f"both sides rounded to multiples of {rule.multiple_of}"
    if rule.side == "native":
        return f"Input: the image keeps its size, {multiple}."
    if rule.side == "exact":
        return f"Input: the image is squashed to {rule.size} x {rule.size} pixels ({rule.interpolation})."
    side = _SIDES[rule.side].format(size=rule.size)
    return f"Input: the image is resized ({rule.interpolation}) so that {side}, {multiple}."


def _comparison(dataset: SuiteDataset) -> list[str]:
    return [
        f"Output: the prediction is brought to the target's size ({dataset.upsample}); the target is never resized.",
        _alignment(dataset),
        f"Aligned predictions are clamped to at most {dataset.cap_m:g} m." if dataset.cap_m else "",
        _target_range(dataset.target_range_m),
        _CROPS.get(dataset.crop, "Nothing is cropped."),
    ]


def _alignment(dataset: SuiteDataset) -> str:
    space = _SPACES[dataset.alignment_space]
    if dataset.alignment == "none":
        return f"Alignment: none; the prediction must be metric, and is compared in {space}."
    fitted = "a scale and a shift are" if dataset.alignment == "scale_and_shift" else "a scale is"
    return f"Alignment: for each image {fitted} fitted by least squares in {space}, over the scored pixels."


def _target_range(limits: tuple[float, float]) -> str:
    low, high = limits
    if isfinite(high):
        return f"Only target pixels between {low:g} m and {high:g} m, both exclusive, are scored."
    return f"Only target pixels beyond {low:g} m are scored." if low > 0 else "All valid target pixels are scored."


def _metric(name: str, metric: Metric | None) -> str:
    if metric is None:
        return f"Metric: {name}."
    better = "higher" if metric.higher_is_better else "lower"
    return f"Metric: {metric.title}, {better} is better; the mean over pixels, then over images. {metric.citation}."
