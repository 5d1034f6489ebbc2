"""The checkpoints of a run: the newest few, the best, and which of them to go on from."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from dpt_bench.core.errors import DataError
from dpt_bench.core.progress import Progress
from dpt_bench.model.checkpoint import Checkpoint, read_checkpoint, save_checkpoint

FOLDER = "checkpoints"
LATEST = "latest.pt"
BEST = "best.pt"
BEST_SCORE = "best.json"
_NAME = re.compile(r"step-(\d+)\.pt")


@dataclass(frozen=True)
class CheckpointFolder:
    """Below a run folder: checkpoints/step-NNNNNNNN.pt, latest.pt that points to the newest, best.pt for use.

    keep: how many of the newest stay.
    """

    run: Path
    keep: int

    def save(self, checkpoint: Checkpoint) -> Path:
        """Write a checkpoint, point to it, and drop the oldest ones."""
        path = self.run / FOLDER / f"step-{checkpoint.step:08d}.pt"
        path.parent.mkdir(exist_ok=True)
        save_checkpoint(path, checkpoint)
        self._point_to(path)
        for old in self.newest_first()[self.keep :]:
            old.unlink()
        return path

    def save_best(self, checkpoint: Checkpoint, score: float | None) -> Path:
        """Write best.pt, and its score beside it; None where nothing was validated."""
        path = self.run / BEST
        save_checkpoint(path, checkpoint)
        record = self.run / f"{BEST_SCORE}.part"
        record.write_text(json.dumps({"step": checkpoint.step, "score": score}) + "\n")
        record.replace(self.run / BEST_SCORE)
        return path

    def best_score(self) -> float | None:
        """The score of best.pt, None where there is none."""
        path = self.run / BEST_SCORE
        score = json.loads(path.read_text())["score"] if path.exists() else None
        return None if score is None else float(score)

    def newest_first(self) -> list[Path]:
        """The checkpoints to go on from."""
        found = {path: _NAME.fullmatch(path.name) for path in (self.run / FOLDER).glob("*.pt")}
        steps = {path: int(match[1]) for path, match in found.items() if match}
        return sorted(steps, key=lambda path: steps[path], reverse=True)

    def newest_intact(self, progress: Progress) -> tuple[Path, Checkpoint] | None:
        """The newest checkpoint that can be read; every damaged one is reported aloud. None where there is none at all.

        Raises:
            DataError: there are some, and all are damaged.
        """
        paths = self.newest_first()
        for path in paths:
            try:
                return path, read_checkpoint(path)
            except DataError as error:
                progress.message(f"WARNING: the checkpoint {path} is damaged and is left out: {error.what}")
        if paths:
            fix = "restore one from a backup, or start again in another folder"
            raise DataError("every checkpoint of the run is damaged", where=self.run / FOLDER, fix=fix)
        return None

    def _point_to(self, path: Path) -> None:
        link = self.run / f"{LATEST}.part"
        link.unlink(missing_ok=True)
        link.symlink_to(path.relative_to(self.run))
        link.replace(self.run / LATEST)
