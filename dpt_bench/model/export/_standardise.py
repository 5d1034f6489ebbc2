"""Weights of a hybrid for another formula of weight standardisation, such that every output stays the same.

Both formulas subtract a filter's mean and divide by its deviation s, up to a small constant, so a factor c for each
filter makes one the other: f(c w) = g(w), solved for c and computed in float64.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from torch import Tensor

from dpt_bench.model.dpt import DPT

Formula = Literal["std_plus_eps", "var_plus_eps"]
_STD_EPS, _VAR_EPS = 1e-5, 1e-8


def weights_for(model: DPT, formula: Formula) -> dict[str, Tensor]:
    """The network's weights, those of its standardised convolutions multiplied for `formula` where it is another."""
    weights = dict(model.state_dict())
    if standardises(model) and model.spec.weight_standardization != formula:
        weights.update({key: _multiplied(weights[key], formula) for key in standardised_keys(weights)})
    return weights


def standardises(model: DPT) -> bool:
    """Whether the network has convolutions with weight standardisation."""
    return bool(standardised_keys(model.state_dict()))


def standardised_keys(weights: Mapping[str, Tensor]) -> list[str]:
    """The filters of ResNetV2 below a vision transformer: its convolutions, which have no bias."""
    stem = "backbone.vit.patch_embed.backbone."
    is_released = stem + "stem.conv.weight" in weights
    return [key for key in weights if is_released and key.startswith(stem) and weights[key].ndim == 4]


def _multiplied(weight: Tensor, formula: Formula) -> Tensor:
    precise = weight.double()
    variance = precise.var(dim=(1, 2, 3), keepdim=True, unbiased=False)
    deviation = variance.sqrt()
    if formula == "var_plus_eps":
        # c / sqrt(c^2 s^2 + v) = 1 / (s + e)  =>  c^2 ((s + e)^2 - s^2) = v
        factor = (_VAR_EPS / (2 * deviation * _STD_EPS + _STD_EPS**2)).sqrt()
    else:
        # c / (c s + e) = 1 / sqrt(s^2 + v)  =>  c (sqrt(s^2 + v) - s) = e, the difference written without cancellation
        factor = _STD_EPS * ((variance + _VAR_EPS).sqrt() + deviation) / _VAR_EPS
    return (precise * factor).to(weight.dtype)
