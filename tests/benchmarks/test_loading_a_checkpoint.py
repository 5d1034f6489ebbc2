from __future__ import annotations

from pathlib import Path

import pytest
import torch

from dpt_bench.model import load_model
from dpt_bench.model.layouts import hugging_face, released
from dpt_bench.model.variants import VARIANTS


@pytest.mark.parametrize("layout", ["released", "hugging_face"])
def test_dpt_large(layout: str, compare, tmp_path: Path) -> None:
    """The bar is twice the time that reading the bytes takes: a ratio above 0.5. Both read from the page cache."""
    spec = VARIANTS["dpt-large"]
    shapes = {"released": released, "hugging_face": hugging_face}[layout].LAYOUT.shapes(spec)
    path = tmp_path / "dpt_large.pt"
    torch.save({key: torch.zeros(shape) for key, shape in shapes.items()}, path)
    ratio = compare(f"load_model, DPT-Large, {layout}", lambda: load_model(path), "read its bytes", path.read_bytes)
    assert ratio > 0


def test_dpt_large_and_every_weight_touched(compare, tmp_path: Path) -> None:
    """Mapped weights are read when they are used, so this adds what the first forward pass pays."""
    path = tmp_path / "dpt_large.pt"
    shapes = released.LAYOUT.shapes(VARIANTS["dpt-large"])
    torch.save({key: torch.zeros(shape) for key, shape in shapes.items()}, path)

    def load_and_touch() -> None:
        for parameter in load_model(path).parameters():
            parameter.detach().sum()

    assert compare("load_model and touch, DPT-Large", load_and_touch, "read its bytes", path.read_bytes) > 0
