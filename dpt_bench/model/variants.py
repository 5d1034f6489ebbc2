"""The networks that have a name: those of the paper, those whose weights were released, and small ones for CPUs."""

from __future__ import annotations

from dpt_bench.core.errors import UnknownNameError
from dpt_bench.core.kinds import DepthKind
from dpt_bench.model.spec import IMAGENET_MEAN, IMAGENET_STD, ModelSpec

_BASE = ModelSpec(backbone="vit_base", hooks=(2, 5, 8, 11), widths=(96, 192, 384, 768))
# The released network taps blocks 6, 12, 18, 24 counted from one; the paper's text says 5, 12, 18, 24.
_LARGE = ModelSpec(backbone="vit_large", hooks=(5, 11, 17, 23), widths=(256, 512, 1024, 1024))
_HYBRID = ModelSpec(backbone="vit_base_r50", hooks=(8, 11), widths=(256, 512, 768, 768))
_METRIC = {"kind": DepthKind.METRIC_DEPTH, "invert": True}
_NYU = {**_METRIC, "scale": 0.000305, "shift": 0.1378, "input_size": (480, 640)}
_KITTI = {**_METRIC, "scale": 0.00006016, "shift": 0.00579, "input_size": (352, 1216)}
_ADE20K = {"head": "segmentation", "num_classes": 150, "batch_norm": True, "train_size": 480}
_TINY = ModelSpec(backbone="conv_hybrid_tiny", hooks=(0, 1), widths=(24, 64, 128, 128), features=32, train_size=128)
_MIDAS = ModelSpec(
    backbone="resnext101",
    widths=(256, 512, 1024, 2048),
    decoder="midas_v21",
    mean=IMAGENET_MEAN,
    std=IMAGENET_STD,
    input_rule="upper_bound",  # as in the MiDaS repository; the DPT repository runs every network by "minimal"
)

VARIANTS: dict[str, ModelSpec] = {
    "dpt-base": _BASE,
    "dpt-large": _LARGE,
    "dpt-hybrid": _HYBRID,
    "dpt-hybrid-nyu": _HYBRID.model_copy(update=_NYU),
    "dpt-hybrid-kitti": _HYBRID.model_copy(update=_KITTI),
    "dpt-large-ade20k": _LARGE.model_copy(update=_ADE20K),
    "dpt-hybrid-ade20k": _HYBRID.model_copy(update=_ADE20K),
    "dpt-deit": _BASE.model_copy(update={"backbone": "deit_base", "mean": IMAGENET_MEAN, "std": IMAGENET_STD}),
    "dpt-deit-distilled": _BASE.model_copy(
        update={"backbone": "deit_base_distilled", "mean": IMAGENET_MEAN, "std": IMAGENET_STD}
    ),
    "dpt-tiny": _TINY,
    "dpt-small": _TINY.model_copy(
        update={"backbone": "conv_hybrid_small", "hooks": (2, 5), "widths": (48, 96, 192, 192), "features": 96}
    ),
    "midas-v21": _MIDAS,
    "midas-v21-resnet50": _MIDAS.model_copy(update={"backbone": "resnet50"}),
}
"""Architecture facts: Ranftl et al., ICCV 2021, section 3, and the released checkpoints where the two differ. The scale
and shift of the NYU and KITTI networks are those of the released code."""


def variant_spec(name: str) -> ModelSpec:
    """The spec of a named variant.

    Raises:
        UnknownNameError: no variant has the name.
    """
    if name not in VARIANTS:
        raise UnknownNameError("model", name, VARIANTS)
    return VARIANTS[name]
