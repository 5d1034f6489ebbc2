from __future__ import annotations

import pytest

from dpt_bench.training.config import load_preset
from dpt_bench.training.plan import estimate_memory


def memory(**overrides: object):
    preset = load_preset("demo", {"crop": 64, **overrides})
    return estimate_memory(preset, preset.model.resolved(64), 1, 10)


def test_the_estimate_counts_states_and_activations() -> None:
    base = memory(batch_size=8, ema="none")
    assert base.states % 16 == 0, "four float32 for every parameter"
    assert memory(batch_size=8, ema=0.9).states == base.states // 4 * 5
    assert memory(batch_size=16, ema="none").activations == pytest.approx(2 * base.activations, rel=0.01)
    assert memory(batch_size=16, accumulate=2, ema="none").activations == pytest.approx(base.activations, rel=0.01)
    assert memory(batch_size=8, precision="fp64", ema="none").activations == pytest.approx(
        2 * base.activations, rel=0.05
    )
    assert memory(batch_size=8, precision="bf16", ema="none").activations < 0.85 * base.activations


def test_the_estimate_is_what_a_forward_pass_keeps() -> None:
    """The largest maps of the demo network: 64 x 64 pixels at full resolution, 48 channels at half of it."""
    per_image = memory(batch_size=1).activations
    assert per_image > 4 * (64 * 64 * 12 + 32 * 32 * 48 * 4)
    assert per_image < 40e6
