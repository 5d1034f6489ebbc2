"""A suite's protocol in words: every sentence follows from a field of the suite or of a recipe, so none can drift."""

from __future__ import annotations

from math import isfinite

from dpt_bench.core.kinds import DepthKind
from dpt_bench.core.recipe import Recipe
from dpt_bench.core.suite import ResizeRule, SuiteDataset
from dpt_bench.metrics import AnyMetric

_SIDES = {
    "longer": "its longer side becomes {size} pixels",
    "shorter": "its shorter side becomes {size} pixels",
    "minimal": "the side that needs the smaller change becomes {size} pixels",
    "upper_bound": "it fits into {size} x {size} pixels",
    "lower_bound": "it covers {size} x {size} pixels",
}
_SPACES = {
    "disparity": "disparity (inverse depth)",
    "depth": "depth",
    "log_depth": "the logarithm of depth",
    "prediction": "the space of the prediction's own kind, disparity or depth",
}
_CROPS = {
    "garg": "Only pixels inside the Garg crop are scored (rows 40.8 % to 99.2 %, columns 3.6 % to 96.4 %).",
    "eigen": "Only pixels inside the Eigen crop are scored (rows 33.2 % to 91.4 %, columns 3.6 % to 96.4 %).",
    "nyu_eigen": "Only pixels inside Eigen's NYU crop are scored (rows 45 to 470, columns 41 to 600).",
    "nyu_eigen_scaled": "Only pixels inside Eigen's NYU crop are scored (rows 9.4 % to 98.1 %, columns 6.4 % to 93.9).",
}


def protocol_words(
    dataset: SuiteDataset, recipe: Recipe | None, metrics: dict[str, AnyMetric]
) -> list[tuple[str, str]]:
    """How one dataset of a suite is scored: (topic, sentence) pairs; `metrics` are those of the suite that exist."""
    words = [("Images", _images(dataset, recipe)), ("Input", _resize(dataset.resize))]
    if any(metrics[name].needs is DepthKind.ORDINAL for name in dataset.metrics if name in metrics):
        words.append(("Output", "The prediction is read at the annotated points; nothing is aligned."))
    else:
        words += _comparison(dataset)
    return words + [("Metric", _metric(name, metrics.get(name))) for name in dataset.metrics]


def _images(dataset: SuiteDataset, recipe: Recipe | None) -> str:
    split = recipe.splits.get(dataset.split) if recipe else None
    count = f"{split.images:,} images, " if split and split.images else ""
    note = f": {split.note.rstrip('.')}" if split and split.note else ""
    return f"{count}split {dataset.split!r}{note}."


def _resize(rule: ResizeRule) -> str:
    multiple = f"both sides rounded to multiples of {rule.multiple_of}"
    if rule.side == "native":
        return f"The image keeps its size, {multiple}."
    if rule.side == "exact":
        return f"The image is squashed to {rule.size} x {rule.size} pixels ({rule.interpolation})."
    side = _SIDES[rule.side].format(size=rule.size)
    return f"The image is resized ({rule.interpolation}) so that {side}, {multiple}."


def _comparison(dataset: SuiteDataset) -> list[tuple[str, str]]:
    return [
        (
            "Output",
            f"The prediction is brought to the target's size ({dataset.upsample}); the target is never resized.",
        ),
        ("Alignment", _alignment(dataset)),
        ("Cap", _cap(dataset)),
        ("Target", _target_range(dataset.target_range_m) + _target_ratio(dataset.target_max_ratio)),
        ("Crop", _crop(dataset)),
    ]


def _alignment(dataset: SuiteDataset) -> str:
    space = _SPACES[dataset.alignment_space]
    if dataset.alignment == "none":
        return "None; the prediction must be metric."
    fitted = "a scale and a shift are" if dataset.alignment == "scale_and_shift" else "a scale is"
    seen = "the scored pixels"
    if dataset.alignment_max_side:
        seen += f", of which it sees every n-th row and column where a side is longer than {dataset.alignment_max_side}"
    return f"For each image {fitted} fitted by least squares in {space}, over {seen}."


def _cap(dataset: SuiteDataset) -> str:
    if dataset.cap_at_farthest:
        return "Aligned predictions are clamped to at most the image's farthest target pixel."
    return f"Aligned predictions are clamped to at most {dataset.cap_m:g} m." if dataset.cap_m else "None."


def _crop(dataset: SuiteDataset) -> str:
    if dataset.input_crop == "none":
        return _CROPS.get(dataset.crop, "None.")
    of = "of the whole image" if dataset.crop_frame == "whole" else "of these pixels"
    inside = _CROPS.get(dataset.crop, "").replace("are scored (", f"are scored ({of}: ")
    scaled = " of 375 x 1242, in proportion" if dataset.input_crop.endswith("_scaled") else ""
    return f"The network sees the lower 352 rows and the middle 1216 columns{scaled} alone. {inside}".rstrip()


def _target_range(limits: tuple[float, float]) -> str:
    low, high = limits
    if isfinite(high):
        return f"Pixels between {low:g} m and {high:g} m, both exclusive, are scored."
    return f"Pixels beyond {low:g} m are scored." if low > 0 else "All valid pixels are scored."


def _target_ratio(ratio: float | None) -> str:
    return "" if ratio is None else f" Pixels deeper than {ratio:g} times the image's first percentile are not."


def _metric(name: str, metric: AnyMetric | None) -> str:
    if metric is None:
        return f"{name}."
    better = "higher" if metric.higher_is_better else "lower"
    return f"{metric.title}, {better} is better. {metric.citation}."
