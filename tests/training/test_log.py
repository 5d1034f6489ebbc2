from __future__ import annotations

import json
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from dpt_bench.training.log import RunLog


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


def test_other_ranks_write_nothing(tmp_path: Path) -> None:
    log = RunLog(None, 0)
    log.write("step", 1, {"loss": 1.0})
    log.close()
    assert not list(tmp_path.iterdir())


def test_a_resumed_log_goes_on(tmp_path: Path) -> None:
    for step in (1, 2):
        log = RunLog(tmp_path, step)
        log.write("step", step, {})
        log.close()
    assert [json.loads(line)["step"] for line in (tmp_path / "log.jsonl").read_text().splitlines()] == [1, 2]
