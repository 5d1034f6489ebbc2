from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from dpt_bench.cli._train import TrainCall, run_train
from dpt_bench.core.errors import UsageError

_LOADING = runpy.run_path(str(Path(__file__).parents[1] / "loading" / "conftest.py"))
shards_url = _LOADING["shards_url"]


def call(shards: str, out: Path, *settings: str) -> TrainCall:
    return TrainCall("demo", shards, out, settings, resume=False)


def test_a_dry_run_prints_the_resolved_run_and_starts_nothing(
    shards_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_train(call(shards_url, tmp_path / "run", "steps=7", "crop=32"), on_ray=False, processes=2, dry_run=True)
    said = capsys.readouterr().out
    assert "length       7 steps of" in said
    assert "processes    2" in said
    assert "\nsteps = 7\n" in said
    assert not (tmp_path / "run").exists()


def test_of_several_processes_the_first_speaks(
    shards_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RANK", "1")
    run_train(call(shards_url, tmp_path / "run", "crop=32"), on_ray=False, processes=2, dry_run=True)
    assert capsys.readouterr().out == ""


def test_processes_without_a_launcher(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot start others") as caught:
        run_train(call("shards", tmp_path), on_ray=False, processes=3, dry_run=False)
    assert "torchrun --nproc-per-node 3" in str(caught.value)
