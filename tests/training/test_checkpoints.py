from __future__ import annotations

from pathlib import Path

import pytest
import torch

from dpt_bench.core.errors import DataError
from dpt_bench.core.progress import SILENT, Silent
from dpt_bench.model.checkpoint import Checkpoint, read_checkpoint
from dpt_bench.model.variants import VARIANTS
from dpt_bench.training.checkpoints import CheckpointFolder


class Listener(Silent):
    def __init__(self) -> None:
        self.said: list[str] = []

    def message(self, text: str) -> None:
        self.said.append(text)


def checkpoint(step: int) -> Checkpoint:
    return Checkpoint(VARIANTS["dpt-tiny"], {"w": torch.full((2,), float(step))}, step=step)


@pytest.fixture
def folder(tmp_path: Path) -> CheckpointFolder:
    folder = CheckpointFolder(tmp_path, keep=2)
    for step in (5, 10, 100_000_000):
        folder.save(checkpoint(step))
    return folder


def test_the_newest_stay_and_latest_points_to_the_last(folder: CheckpointFolder) -> None:
    assert [path.name for path in folder.newest_first()] == ["step-100000000.pt", "step-00000010.pt"]
    assert read_checkpoint(folder.run / "latest.pt").step == 100_000_000
    assert not list(folder.run.rglob("*.part"))


def test_a_damaged_newest_falls_back_aloud(folder: CheckpointFolder) -> None:
    newest = folder.newest_first()[0]
    newest.write_bytes(newest.read_bytes()[:200])
    listener = Listener()
    found = folder.newest_intact(listener)
    assert found is not None
    assert found[1].step == 10
    assert len(listener.said) == 1
    assert listener.said[0].startswith("WARNING")
    assert newest.name in listener.said[0]


def test_nothing_intact_is_an_error_and_nothing_at_all_is_not(folder: CheckpointFolder, tmp_path: Path) -> None:
    for path in folder.newest_first():
        path.write_bytes(b"")
    with pytest.raises(DataError, match="every checkpoint"):
        folder.newest_intact(SILENT)
    assert CheckpointFolder(tmp_path / "other", keep=1).newest_intact(SILENT) is None


def test_the_best_and_its_score(folder: CheckpointFolder) -> None:
    assert folder.best_score() is None
    folder.save_best(checkpoint(7), 0.25)
    assert folder.best_score() == 0.25
    assert read_checkpoint(folder.run / "best.pt").step == 7
