"""Every shared golden of a network, at each of its sizes: the output, the output before the last ReLU, and what is within."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from dpt_bench.model.build import filled_model
from dpt_bench.model.dpt import DPT
from dpt_bench.model.layouts.released import LAYOUT
from dpt_bench.model.variants import VARIANTS

pytestmark = [pytest.mark.golden, pytest.mark.slow]

NETWORKS = {
    "dpt_large-midas": "dpt-large",
    "dpt_hybrid-midas": "dpt-hybrid",
    "dpt_hybrid_nyu": "dpt-hybrid-nyu",
    "dpt_hybrid_kitti": "dpt-hybrid-kitti",
    "dpt_large-ade20k": "dpt-large-ade20k",
    "dpt_hybrid-ade20k": "dpt-hybrid-ade20k",
    "dpt_base": "dpt-base",
    "dpt_deit": "dpt-deit",
    "dpt_deit_dist": "dpt-deit-distilled",
    "midas_v21": "midas-v21",
    "midas_v21-resnet50": "midas-v21-resnet50",
}
READOUTS = ("project", "add", "ignore")
FILES = [name for name in NETWORKS if name not in ("dpt_base", "dpt_deit", "dpt_deit_dist")]
FILES += [f"{name}-{readout}" for name in ("dpt_base", "dpt_deit_dist") for readout in READOUTS] + ["dpt_deit-project"]


def variant_of(file: str) -> tuple[str, str]:
    name, _, readout = file.rpartition("-")
    return (NETWORKS[name], readout) if readout in READOUTS else (NETWORKS[file], "project")


def with_probes(model: DPT) -> dict[str, torch.Tensor]:
    """What passes inside, under the goldens' names, filled by a forward pass."""
    seen: dict[str, torch.Tensor] = {}
    for stage, reassemble in enumerate(model.reassemble):
        name = f"layer_{stage + 1}"
        reassemble.to_features.register_forward_pre_hook(lambda _, given, name=name: seen.update({name: given[0]}))
    for stage in (0, 3):
        name = f"path_{stage + 1}"
        model.fusion.blocks[stage].register_forward_hook(lambda _, __, out, name=name: seen.update({name: out}))
    if model.spec.head == "depth":
        model.head.layers[-1].register_forward_pre_hook(lambda _, given: seen.update(raw=given[0].squeeze(1)))
    return seen


def differs(found: torch.Tensor, wanted: np.ndarray) -> float:
    assert found.shape == wanted.shape
    return float(np.abs(found.numpy() - wanted).max() / np.abs(wanted).max())


@pytest.mark.parametrize("file", FILES)
def test_the_network_computes_what_the_released_class_computes(
    file: str, shared_golden: Path, synthetic_weights: Callable, golden_image: Callable
) -> None:
    path = shared_golden / f"{file}.npz"
    if not path.is_file():
        pytest.skip(f"../shared/golden/{file}.npz is absent")
    with np.load(path) as archive:
        golden = dict(archive)
    variant, readout = variant_of(file)
    spec = VARIANTS[variant].model_copy(update={"readout": readout})
    model = filled_model(spec, LAYOUT.ours(spec, synthetic_weights(LAYOUT.shapes(spec))))
    seen = with_probes(model)
    for size in sorted({key.partition("/")[0] for key in golden if "/" in key}):
        with torch.no_grad():
            output = model(golden_image(*map(int, size.split("x"))))
        step = (slice(None), slice(None, None, 10), slice(None, None, 16), slice(None, None, 16))
        output = output[step] if spec.head == "segmentation" else output[:, ::8, ::8]
        assert differs(output, golden[f"{size}/out_sub"]) < 1e-4
        if "raw" in seen:
            assert differs(seen["raw"][:, ::8, ::8], golden[f"{size}/raw_sub"]) < 1e-4
        for name in set(seen) - {"raw"}:
            part = 3 if seen[name].shape[-1] <= 60 else 8
            assert differs(seen[name][:, ::64, ::part, ::part], golden[f"{size}/sub/{name}"]) < 1e-4
