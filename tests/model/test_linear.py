"""Linear layers through oneDNN give the numbers of nn.Linear, and only where nothing depends on the difference."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import nn

from dpt_bench.model import linear
from dpt_bench.model.linear import TokenLinear, use_token_linear


@pytest.fixture(autouse=True)
def _two_threads_of_amd(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(linear, "mkl_is_slow", lambda: True)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def swapped(*, bias: bool = True) -> tuple[nn.Linear, nn.Linear]:
    torch.manual_seed(0)
    plain = nn.Linear(48, 96, bias=bias)
    part = nn.Sequential(nn.Linear(48, 96, bias=bias), nn.GELU())
    part[0].load_state_dict(plain.state_dict())
    use_token_linear(part)
    return plain, part[0]


def operations(layer: nn.Module, tokens: torch.Tensor) -> set[str]:
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        layer(tokens)
    return {event.key for event in profile.key_averages()}


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(1, 37, 48), (3, 37, 48), (2, 1, 48)])
def test_the_numbers_of_nn_linear(bias, shape) -> None:
    plain, ours = swapped(bias=bias)
    assert isinstance(ours, TokenLinear)
    tokens = torch.randn(shape)
    with torch.inference_mode():
        found = ours(tokens)
        assert found.is_contiguous()
        torch.testing.assert_close(found, plain(tokens), rtol=1e-5, atol=1e-6)


def test_where_it_is_a_convolution(monkeypatch: pytest.MonkeyPatch) -> None:
    _, ours = swapped()
    tokens = torch.randn(2, 37, 48)
    with torch.inference_mode():
        assert "aten::conv2d" in operations(ours, tokens)
        with monkeypatch.context() as intel:
            intel.setattr(linear, "mkl_is_slow", lambda: False)
            assert "aten::conv2d" not in operations(ours, tokens)
        with torch.autocast("cpu", torch.bfloat16):
            assert "aten::conv2d" not in operations(ours, tokens)
        torch.set_num_threads(1)
        assert "aten::conv2d" not in operations(ours, tokens)
        torch.set_num_threads(2)
    assert "aten::conv2d" not in operations(ours, tokens), "not while something is trained"
    with torch.no_grad():
        program = torch.export.export(ours, (tokens,))
    assert not any("conv" in str(node.target) for node in program.graph.nodes), "not in an exported network"
