from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from dpt_bench.core.errors import UsageError
from dpt_bench.formats.images import decode_rgb
from dpt_bench.training.log import RunLog, WeightsAndBiases


def test_lines_and_curves_hold_the_same_numbers(tmp_path: Path) -> None:
    log = RunLog(tmp_path, 0)
    log.write("step", 3, {"loss": 0.1 + 0.2, "by": {"redweb": 1.0}, "left": None, "note": "x", "bad": float("nan")})
    log.close()
    line = json.loads((tmp_path / "log.jsonl").read_text())
    assert line == {
        "event": "step",
        "step": 3,
        "loss": 0.1 + 0.2,
        "by": {"redweb": 1.0},
        "left": None,
        "note": "x",
        "bad": "nan",
    }
    board = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert {"step/loss", "step/by/redweb"} <= set(board.Tags()["scalars"])
    assert board.Scalars("step/by/redweb")[0].step == 3


def test_a_picture_is_a_file_and_on_the_board(tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    log = RunLog(tmp_path, 0)
    log.picture("validation", 12, image)
    log.close()
    assert np.array_equal(decode_rgb((tmp_path / "pictures" / "validation-00000012.png").read_bytes()), image)
    board = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert (board.Images("validation")[0].step, board.Images("validation")[0].width) == (12, 30)


class FakeWandb(SimpleNamespace):
    """The calls of the client that are used."""

    def __init__(self) -> None:
        super().__init__(calls=[], Image=lambda image: ("image", image.shape))

    def init(self, **options: Any) -> Any:
        self.calls.append(options)
        return SimpleNamespace(
            log=lambda values, step: self.calls.append((values, step)), finish=lambda: self.calls.append("finish")
        )


def test_weights_and_biases_gets_the_same_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeWandb()
    monkeypatch.setitem(sys.modules, "wandb", fake)
    log = RunLog(tmp_path, 0, (WeightsAndBiases("depth", tmp_path, {"steps": 3}),))
    log.write("step", 3, {"loss": 1.5, "by": {"redweb": 1.0}, "stage": "x"})
    log.picture("validation", 4, np.zeros((2, 3, 3), np.uint8))
    log.close()
    options, numbers, picture, end = fake.calls
    assert (options["project"], options["config"], options["resume"]) == ("depth", {"steps": 3}, "allow")
    assert numbers == ({"step/loss": 1.5, "step/by/redweb": 1.0}, 3)
    assert picture == ({"validation": ("image", (2, 3, 3))}, 4)
    assert end == "finish"
    again = WeightsAndBiases("depth", tmp_path, {})
    assert fake.calls[-1]["id"] == options["id"], "a resumed run goes on in the same one"
    again.close()


def test_without_the_package_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(UsageError, match=r"dpt-bench\[wandb\]"):
        WeightsAndBiases("depth", tmp_path, {})


def test_other_ranks_write_nothing(tmp_path: Path) -> None:
    log = RunLog(None, 0)
    log.picture("validation", 1, np.zeros((2, 3, 3), np.uint8))
    log.write("step", 1, {"loss": 1.0})
    log.close()
    assert not list(tmp_path.iterdir())


def test_a_resumed_log_goes_on(tmp_path: Path) -> None:
    for step in (1, 2):
        log = RunLog(tmp_path, step)
        log.write("step", step, {})
        log.close()
    assert [json.loads(line)["step"] for line in (tmp_path / "log.jsonl").read_text().splitlines()] == [1, 2]
