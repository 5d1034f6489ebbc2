"""What a network is made of: the spec that builds it, travels in its checkpoint and says what its output means."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, ValidationError, model_validator

from dpt_bench.core.errors import DataError
from dpt_bench.core.kinds import DepthKind
from dpt_bench.core.toml import Strict

Readout = Literal["ignore", "add", "project"]
Rgb = tuple[float, float, float]

HALF: Rgb = (0.5, 0.5, 0.5)
IMAGENET_MEAN: Rgb = (0.485, 0.456, 0.406)
IMAGENET_STD: Rgb = (0.229, 0.224, 0.225)


class ModelSpec(Strict):
    """A dense prediction transformer, or MiDaS v2.1 (`decoder="midas_v21"`), in full.

    backbone: file name in dpt_bench/model/backbones/.
    hooks: 0-based indices of the transformer blocks whose outputs are reassembled; four, or two for hybrids, whose
        convolutional stages feed the two finest fusion blocks. Empty for convolutional backbones.
    widths: channels of the four maps before the 3x3 convolution to `features`.
    readout: how the readout token joins the others (Ranftl et al., ICCV 2021, eqs. 2-4).
    features: channels of the fusion blocks, D^ of the paper.
    mean, std: normalisation of RGB in [0, 1]. train_size: side in pixels of the images it was trained at.
    input_size: (height, width) that the released code brings images near to, where that is not train_size squared;
        input_rule: how (dpt_bench.resize.midas_size).
    kind: what the output means. scale, shift, invert: the fixed affine map of fine-tuned networks from the head's
        output y: scale * y + shift, or with `invert` its reciprocal.
    weight_standardization: of hybrid stems. The released checkpoints were trained with "std_plus_eps",
        (w - mean) / (std + 1e-5); timm since 0.4.9, and transformers, compute "var_plus_eps",
        (w - mean) / sqrt(var + 1e-8).
    layer_norm_eps: of the transformer. None leaves the backbone its own: 1e-6; transformers' default is 1e-12.
    """

    backbone: str
    hooks: tuple[int, ...] = ()
    widths: tuple[int, int, int, int]
    readout: Readout = "project"
    features: int = Field(default=256, ge=4)
    head: Literal["depth", "segmentation"] = "depth"
    decoder: Literal["dpt", "midas_v21"] = "dpt"
    num_classes: int | None = Field(default=None, ge=2)
    mean: Rgb = HALF
    std: Rgb = HALF
    train_size: int = Field(default=384, ge=32, multiple_of=32)
    input_size: tuple[int, int] | None = None
    input_rule: Literal["minimal", "upper_bound"] = "minimal"
    kind: DepthKind = DepthKind.AFFINE_DISPARITY
    scale: float = 1.0
    shift: float = 0.0
    invert: bool = False
    non_negative: bool = True
    batch_norm: bool = False
    weight_standardization: Literal["std_plus_eps", "var_plus_eps"] = "std_plus_eps"
    layer_norm_eps: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _classes_belong_to_segmentation(self) -> ModelSpec:
        if (self.head == "segmentation") != (self.num_classes is not None):
            raise ValueError("num_classes is set for segmentation heads, and for these alone")
        if list(self.hooks) != sorted(set(self.hooks)):
            raise ValueError(f"hooks must ascend, got {self.hooks}")
        return self

    @property
    def head_kind(self) -> DepthKind:
        """What the head's own output means, before scale, shift and invert: programs without these show it."""
        if (self.scale, self.shift, self.invert) == (1.0, 0.0, False) or self.kind is DepthKind.ORDINAL:
            return self.kind
        strength = "affine" if self.shift or self.kind.is_affine else "scale_invariant"
        if self.scale == 1.0 and not self.shift:
            strength = self.kind.value.rpartition("_")[0]
        return DepthKind(f"{strength}_{'disparity' if self.kind.is_disparity != self.invert else 'depth'}")


def parse_spec(stored: Any, where: object) -> ModelSpec:
    """The spec that a file holds, as JSON text or as what JSON makes of it.

    Raises:
        DataError: it is none of this version.
    """
    try:
        return ModelSpec.model_validate_json(stored) if isinstance(stored, str) else ModelSpec.model_validate(stored)
    except ValidationError as error:
        first = error.errors()[0]
        raise DataError(
            f"the file's model spec is not one of this version: {first['msg']}",
            where=f"{where}: spec.{'.'.join(map(str, first['loc']))}",
            fix="use the version of dpt-bench that wrote it",
        ) from error
