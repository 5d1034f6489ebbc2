from __future__ import annotations

import pytest
import torch

from dpt_bench.model.backbones._contract import Tokens
from dpt_bench.model.reassemble import Read, Reassemble, concatenate


def tokens(prefix: int = 1) -> Tokens:
    return Tokens(torch.randn(2, prefix + 24, 8), (4, 6), prefix)


@pytest.mark.parametrize(("stage", "size"), [(0, (16, 24)), (1, (8, 12)), (2, (4, 6)), (3, (2, 3))])
@pytest.mark.parametrize("readout", ["ignore", "add", "project"])
def test_each_stage_has_its_resolution(stage: int, size: tuple[int, int], readout: str) -> None:
    reassemble = Reassemble(stage, channels=8, width=5, features=7, readout=readout)
    assert reassemble(tokens()).shape == (2, 7, *size)


def test_tokens_go_where_their_patches_were() -> None:
    image_like = concatenate(torch.arange(24.0).view(1, 24, 1), (4, 6))
    assert torch.equal(image_like[0, 0], torch.arange(24.0).view(4, 6))


@pytest.mark.parametrize("prefix", [1, 2])
def test_ignore_drops_the_readout_tokens(prefix: int) -> None:
    tap = tokens(prefix)
    assert torch.equal(Read("ignore", 8)(tap), tap.values[:, prefix:])


@pytest.mark.parametrize("prefix", [1, 2])
def test_add_adds_the_mean_of_the_readout_tokens(prefix: int) -> None:
    tap = tokens(prefix)
    wanted = tap.values[:, prefix:] + tap.values[:, :prefix].mean(1, keepdim=True)
    torch.testing.assert_close(Read("add", 8)(tap), wanted)


def test_project_sees_token_then_first_readout_token() -> None:
    tap, read = tokens(prefix=2), Read("project", 8)
    assert read.mlp is not None
    pair = torch.cat([tap.values[1, 2 + 5], tap.values[1, 0]])
    torch.testing.assert_close(read(tap)[1, 5], torch.nn.functional.gelu(read.mlp[0](pair)))
