"""What a training run leaves to say."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

REQUEUE_EXIT_CODE = 75
"""EX_TEMPFAIL of sysexits.h: the work is not done, the same call will go on with it."""


@dataclass(frozen=True)
class TrainReport:
    """How a run ended.

    status: "done"; "interrupted" by SIGTERM or SIGUSR1 after a checkpoint.
    steps: optimiser steps done, of `total_steps`. seconds: of this call.
    best: the checkpoint to use, with its validation score, lower being better. latest: the one to go on from.
    trained_on: the mix, and what of it was there. plan: the run in words.
    """

    status: Literal["done", "interrupted"]
    out: Path
    steps: int
    total_steps: int
    seconds: float
    trained_on: str
    plan: str
    best: Path | None = None
    best_score: float | None = None
    latest: Path | None = None

    @property
    def exit_code(self) -> int:
        """0, or the code that tells a scheduler to queue the run again."""
        return REQUEUE_EXIT_CODE if self.status == "interrupted" else 0
