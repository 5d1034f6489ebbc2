"""Fixtures: a thread, synthetic weights by name, the image of the goldens, and a DPT of a few thousand parameters."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from dpt_bench.core.kinds import DepthKind
from dpt_bench.model.layouts import _layout
from dpt_bench.model.spec import ModelSpec
from dpt_bench.model.variants import VARIANTS

NETWORKS = Path(__file__).with_name("networks")
GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "official_forward.npz"


@pytest.fixture(autouse=True)
def _alike_on_every_machine() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def golden() -> dict[str, np.ndarray]:
    with np.load(GOLDEN) as file:
        return dict(file)


@pytest.fixture
def small_spec() -> ModelSpec:
    return ModelSpec(backbone="conv_hybrid_tiny", hooks=(0, 1), widths=(24, 64, 16, 16), features=16, train_size=64)


@pytest.fixture(scope="session")
def synthetic_weights() -> Callable[[Mapping[str, torch.Size]], dict[str, Tensor]]:
    """Weights drawn by their released names, so that they are the same in every implementation."""

    def fill(layout: Mapping[str, torch.Size]) -> dict[str, Tensor]:
        return {key: torch.from_numpy(_draw(key, tuple(shape))) for key, shape in layout.items()}

    return fill


def _draw(key: str, shape: tuple[int, ...]) -> np.ndarray:
    if key.endswith("num_batches_tracked"):
        return np.zeros(shape, np.int64)
    normal = np.random.default_rng(zlib.crc32(key.encode())).standard_normal(shape)
    if key.endswith("running_var"):
        normal = 1 + 0.1 * np.abs(normal)
    elif key.endswith(("cls_token", "dist_token", "pos_embed")):
        normal = 0.5 * normal
    elif key.endswith((".bias", "running_mean")):
        normal = 0.02 * normal
    elif len(shape) == 1:
        normal = 1 + 0.02 * normal
    else:
        normal = normal / np.sqrt(np.prod(shape[1:]))
    return normal.astype(np.float32)


@pytest.fixture(scope="session")
def golden_image() -> Callable[[int, int], Tensor]:
    """Normalised image (1, 3, H, W): blocks of 32 pixels and noise."""

    def draw(height: int, width: int) -> Tensor:
        rng = np.random.default_rng(0)
        coarse = rng.random((1, 3, height // 32, width // 32))
        fine = rng.random((1, 3, height, width))
        blocks = coarse.repeat(32, axis=2).repeat(32, axis=3)
        return torch.from_numpy(((2 * blocks - 1) + 0.5 * (fine - 0.5)).astype(np.float32))

    return draw


@pytest.fixture
def micro(monkeypatch: pytest.MonkeyPatch) -> dict[str, ModelSpec]:
    """Networks in the shape of the released ones, of some thousand parameters, and known to all by these names."""
    vit = ModelSpec(
        backbone=str(NETWORKS / "micro_vit.py"), hooks=(0, 1, 3, 4), widths=(8, 16, 24, 32), features=128, train_size=64
    )
    hybrid = vit.model_copy(
        update={"backbone": str(NETWORKS / "micro_hybrid.py"), "hooks": (1, 2), "widths": (128, 256, 24, 32)}
    )
    classes = {"head": "segmentation", "num_classes": 7, "batch_norm": True}
    metric = {"kind": DepthKind.METRIC_DEPTH, "scale": 0.5, "shift": 1.0, "invert": True}
    known = {
        "micro": vit,
        "micro-ade20k": vit.model_copy(update=classes),
        "micro-hybrid": hybrid,
        "micro-hybrid-nyu": hybrid.model_copy(update=metric),
    }
    for name, spec in known.items():
        monkeypatch.setitem(VARIANTS, name, spec)
    monkeypatch.setattr(_layout, "RELEASED", tuple(known))
    return known


@pytest.fixture
def lively() -> Callable[[torch.nn.Module], torch.nn.Module]:
    """Gives a network weights and statistics with which nothing is near zero or one, in eval mode.

    The last bias is raised: where the last ReLU clips, two networks agree whatever they compute.
    """

    def fill(model: torch.nn.Module) -> torch.nn.Module:
        generator = torch.Generator().manual_seed(3)
        for key, value in model.state_dict().items():
            noise = torch.randn(value.shape, generator=generator)
            if value.dtype.is_floating_point:
                scale = 1 / np.sqrt(np.prod(value.shape[1:])) if value.ndim > 1 else 0.1
                raised = key.endswith(("running_var", "4.bias")) or (key.endswith("weight") and value.ndim == 1)
                value.copy_(noise * scale + raised)
        return model.eval()

    return fill


@pytest.fixture
def listed(shared_facts: Path) -> Callable[[str], dict[str, torch.Size]]:
    """The keys and shapes of a file, from the project's facts."""

    def layout(name: str) -> dict[str, torch.Size]:
        listed = json.loads((shared_facts / "checkpoints" / f"{name}.keys.json").read_text())
        return {key: torch.Size(shape) for key, (shape, _) in listed.items()}

    return layout
