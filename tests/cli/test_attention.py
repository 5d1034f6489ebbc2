"""The sheet of attention maps that `dpt-bench attention` writes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from dpt_bench.cli._attention import AttentionCall, run_attention
from dpt_bench.core.errors import UsageError
from dpt_bench.formats import images
from dpt_bench.model import VARIANTS, Checkpoint, build_model, save_checkpoint

MARK = (80, 255, 80)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    spec = VARIANTS["dpt-tiny"].model_copy(update={"train_size": 64})
    path = tmp_path_factory.mktemp("net") / "tiny.pt"
    save_checkpoint(path, Checkpoint(spec, build_model(spec).state_dict()))
    return path


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "picture.png"
    path.write_bytes(images.encode_png(np.random.default_rng(0).integers(0, 200, (64, 96, 3), dtype=np.uint8)))
    return path


def call(checkpoint: Path, picture: Path, **changes: object) -> AttentionCall:
    facts = {"layers": None, "tokens": "upper-left,lower-right", "variant": None, "device": "cpu"}
    return AttentionCall(str(checkpoint), picture, picture.with_name("sheet.png"), **(facts | changes))  # type: ignore[arg-type]


def test_a_row_for_each_token_and_a_panel_for_each_layer(checkpoint, picture, capsys) -> None:
    run_attention(call(checkpoint, picture))
    sheet = images.decode_rgb((picture.with_name("sheet.png")).read_bytes())
    scale = round(320 / 96)
    panel = (64 * scale + 18, 96 * scale)  # with its title
    assert sheet.shape == (3 * panel[0] + 4 * 6, 3 * panel[1] + 4 * 6, 3)
    marks = (sheet == MARK).all(axis=2)
    rows = [marks[6 + row * (panel[0] + 6) :][: panel[0]] for row in range(3)]
    assert [bool(row.any()) for row in rows] == [False, True, True]
    ys, xs = np.nonzero(rows[1][:, : panel[1] + 6])
    assert (ys.min(), xs.min()) == (18, 6), "the upper left corner of the picture, below its title"
    ys, xs = np.nonzero(rows[2][:, : panel[1] + 6])
    assert (ys.max() + 1, xs.max() + 1) == (panel[0], panel[1] + 6)
    assert "layers 1, 2 of tiny" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"layers": "1,7"}, "this network has the layers 1 to 2"),
        ({"layers": "last"}, "whole numbers"),
        ({"layers": ","}, "nothing is named"),
        ({"tokens": "upperleft"}, "unknown token 'upperleft'"),
        ({"tokens": "1.5:0"}, "x:y from 0 to 1"),
        ({"model": "baseline:ramp"}, "need a checkpoint"),
        ({"image": Path("none.png")}, "the picture cannot be read"),
    ],
)
def test_wrong_calls(checkpoint, picture, changes, words) -> None:
    given = call(checkpoint, picture)
    facts = {name: getattr(given, name) for name in given.__dataclass_fields__} | changes
    with pytest.raises(UsageError, match=words):
        run_attention(AttentionCall(**facts))
