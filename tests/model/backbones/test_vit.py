from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from dpt_bench.core.errors import DataError, DptBenchError, UnknownNameError, UsageError
from dpt_bench.model.backbones._contract import Tokens, load_backbone
from dpt_bench.model.backbones._vit import ViTBackbone, resize_position_embedding, timm_vit
from dpt_bench.model.spec import ModelSpec
from dpt_bench.model.variants import VARIANTS

TINY = "vit_tiny_patch16_224"


class Hostile:
    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (os.environ["DPT_BENCH_TEST_TRAP"],)


@pytest.mark.golden
@pytest.mark.parametrize("grid", [(24, 24), (24, 32), (12, 12)])
def test_position_embeddings_are_resized_as_the_released_code_does(grid: tuple[int, int], golden: dict) -> None:
    resized = resize_position_embedding(torch.from_numpy(golden["pos_embed/pe"]), grid, prefix=1)
    np.testing.assert_allclose(resized.numpy(), golden[f"pos_embed/{grid[0]}x{grid[1]}"], rtol=0, atol=1e-6)


@pytest.mark.parametrize("prefix", [1, 2])
def test_readout_tokens_keep_their_position_embedding(prefix: int) -> None:
    embedding = torch.randn(1, prefix + 16, 5)
    resized = resize_position_embedding(embedding, (3, 7), prefix)
    assert resized.shape == (1, prefix + 21, 5)
    assert torch.equal(resized[:, :prefix], embedding[:, :prefix])


def test_taps_are_the_outputs_of_the_hooked_blocks_of_timm() -> None:
    vit = timm_vit(TINY).eval()
    images = torch.randn(2, 3, 224, 224)
    with torch.no_grad():
        maps = vit.forward_intermediates(
            images, indices=[1, 4, 7, 10], intermediates_only=True, return_prefix_tokens=True, output_fmt="NLC"
        )
        taps = ViTBackbone(vit, (1, 4, 7, 10), timm_name=TINY)(images)
    for tap, (patches, prefix) in zip(taps, maps, strict=True):
        assert tap.grid == (14, 14)
        torch.testing.assert_close(tap.values, torch.cat([prefix, patches], dim=1), rtol=1e-4, atol=1e-5)


def test_nothing_behind_the_last_hook_is_kept() -> None:
    backbone = ViTBackbone(timm_vit(TINY), (1, 2, 4, 7), timm_name=TINY)
    names = {name.split(".")[1] for name, _ in backbone.named_parameters()}
    assert names == {"cls_token", "pos_embed", "patch_embed", "blocks"}
    assert len(backbone.vit.blocks) == 8


@pytest.mark.parametrize("size", [(64, 96), (32, 160)])
def test_other_sizes_give_other_grids(size: tuple[int, int]) -> None:
    backbone = ViTBackbone(timm_vit(TINY), (0, 1, 2, 3), timm_name=TINY)
    for tap in backbone(torch.randn(1, 3, *size)):
        assert isinstance(tap, Tokens)
        assert tap.grid == (size[0] // 16, size[1] // 16)
        assert tap.values.shape == (1, 1 + tap.grid[0] * tap.grid[1], 192)


@pytest.mark.parametrize("hooks", [(), (0, 1), (0, 1, 2, 12)])
def test_hooks_must_fit_the_transformer(hooks: tuple[int, ...]) -> None:
    with pytest.raises(UsageError, match="4 hooks between 0 and 11"):
        ViTBackbone(timm_vit(TINY), hooks, timm_name=TINY)


def test_an_unknown_backbone_is_named_with_its_neighbours() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'vit_base'"):
        load_backbone(ModelSpec(backbone="vit_bas", widths=(1, 1, 1, 1)))


def test_local_pretrained_weights_are_loaded(tmp_path: Path) -> None:
    donor = timm_vit(TINY)
    torch.save(donor.state_dict(), tmp_path / "vit.pth")
    backbone = ViTBackbone(timm_vit(TINY), (0, 1, 2, 3), timm_name=TINY)
    assert not torch.equal(backbone.vit.blocks[2].mlp.fc1.weight, donor.blocks[2].mlp.fc1.weight)
    backbone.load_pretrained(tmp_path / "vit.pth")
    assert torch.equal(backbone.vit.blocks[2].mlp.fc1.weight, donor.blocks[2].mlp.fc1.weight)
    assert torch.equal(backbone.vit.pos_embed, donor.pos_embed)


def test_wrong_pretrained_files_are_refused(tmp_path: Path) -> None:
    backbone = ViTBackbone(timm_vit(TINY), (0, 1, 2, 3), timm_name=TINY)
    with pytest.raises(UsageError, match="not found"):
        backbone.load_pretrained(tmp_path / "missing.pth")
    (tmp_path / "text.pth").write_text("not weights")
    with pytest.raises(DataError, match="not a checkpoint"):
        backbone.load_pretrained(tmp_path / "text.pth")
    torch.save(
        timm_vit("vit_tiny_patch16_384").state_dict() | {"blocks.0.norm1.weight": torch.ones(7)}, tmp_path / "other.pth"
    )
    with pytest.raises(UsageError, match="does not hold weights of timm's vit_tiny"):
        backbone.load_pretrained(tmp_path / "other.pth")


@pytest.mark.filterwarnings("error")
def test_a_file_of_few_weights_leaves_none_at_random(tmp_path: Path) -> None:
    backbone = ViTBackbone(timm_vit(TINY), (0, 1, 2, 3), timm_name=TINY)
    torch.save({"blocks.0.norm1.weight": torch.ones(192)}, tmp_path / "few.pth")
    with pytest.raises(UsageError, match=r"\d+ of \d+ are missing, as cls_token"):
        backbone.load_pretrained(tmp_path / "few.pth")


def test_code_in_a_pretrained_file_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DPT_BENCH_TEST_TRAP", str(tmp_path / "trap"))
    torch.save({"state_dict": Hostile()}, tmp_path / "hostile.pth")
    with pytest.raises(DataError, match="which were not loaded"):
        ViTBackbone(timm_vit(TINY), (0, 1, 2, 3), timm_name=TINY).load_pretrained(tmp_path / "hostile.pth")
    assert not (tmp_path / "trap").exists()


def test_an_unreachable_hub_is_one_readable_error(monkeypatch: pytest.MonkeyPatch) -> None:
    backbone = ViTBackbone(timm_vit(TINY), (0, 1, 2, 3), timm_name=TINY)

    def unreachable(*_: object, **__: object) -> None:
        raise FileNotFoundError("cannot find the requested files in the local cache\nand more")

    monkeypatch.setattr("timm.create_model", unreachable)
    with pytest.raises(DptBenchError, match="could not be fetched: cannot find") as caught:
        backbone.load_pretrained(None)
    assert "pretrained" in str(caught.value.fix)


def test_backbones_without_weights_say_so() -> None:
    with pytest.raises(UsageError, match="no pretrained weights"):
        load_backbone(VARIANTS["dpt-tiny"]).load_pretrained(None)
