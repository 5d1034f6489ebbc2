from __future__ import annotations

import pytest

from dpt_bench.cli import _progress


def test_plain_lines_say_what_is_done_and_what_is_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = 0.0
    monkeypatch.setattr("dpt_bench.cli._progress.time.monotonic", lambda: now)
    lines = _progress.Lines()
    lines.start("shards", 10)
    for _ in range(4):
        now += 6.0
        lines.advance("shards", note="redweb")
    lines.finish("shards")
    assert capsys.readouterr().err.splitlines() == [
        "shards: started, 10 to do",
        "shards: 2/10 after 0:12, 0:48 left, redweb",
        "shards: 4/10 after 0:24, 0:36 left, redweb",
        "shards: 4 done in 0:24",
    ]


def test_a_task_knows_better_what_is_left(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    now = 0.0
    monkeypatch.setattr("dpt_bench.cli._progress.time.monotonic", lambda: now)
    lines = _progress.Lines()
    lines.start("training", 10)
    now = 12.0
    lines.advance("training", 5, "loss 0.1", seconds_left=70.0)
    assert capsys.readouterr().err.splitlines()[-1] == "training: 5/10 after 0:12, 1:10 left, loss 0.1"


def test_a_log_gets_lines_and_no_bars(capsys: pytest.CaptureFixture[str]) -> None:
    with _progress.progress() as shown:
        shown.start("work")
        shown.advance("work", 3)
        shown.message("hello")
        shown.finish("work")
    assert capsys.readouterr().err.splitlines() == ["work: started", "hello", "work: 3 done in 0:00"]


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (59.6, "1:00"), (3725, "1:02:05"), (273900, "3 d 04:05")])
def test_clock(seconds: float, text: str) -> None:
    assert _progress._clock(seconds) == text
