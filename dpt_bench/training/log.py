"""What a run tells while it lasts: log.jsonl, one object a line, and the same numbers for TensorBoard."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from torch.utils.tensorboard import SummaryWriter

LOG = "log.jsonl"
TENSORBOARD = "tensorboard"


class RunLog:
    """Rank 0's log; on other ranks (`out` None) it says nothing.

    A resumed run appends: where a step occurs twice, the later line holds.
    """

    def __init__(self, out: Path | None, first_step: int) -> None:
        self._file = None if out is None else (out / LOG).open("a", encoding="utf-8")
        self._board = None if out is None else SummaryWriter(str(out / TENSORBOARD), purge_step=first_step)

    def write(self, event: str, step: int, facts: dict[str, Any]) -> None:
        """Log one event; numbers within `facts` go to TensorBoard under `event/key` and `event/key/sub-key`."""
        if self._file is None or self._board is None:
            return
        self._file.write(json.dumps({"event": event, "step": step, **_finite(facts)}, allow_nan=False) + "\n")
        self._file.flush()
        for name, value in _numbers(event, facts):
            self._board.add_scalar(name, value, step)

    def close(self) -> None:
        """Flush and close both."""
        if self._file is not None and self._board is not None:
            self._file.close()
            self._board.close()


def _finite(facts: dict[str, Any]) -> dict[str, Any]:
    """JSON has no NaN and no infinity: they become text."""
    return {
        key: _finite(value)
        if isinstance(value, dict)
        else str(value)
        if isinstance(value, float) and not math.isfinite(value)
        else value
        for key, value in facts.items()
    }


def _numbers(place: str, facts: dict[str, Any]) -> list[tuple[str, float]]:
    found = []
    for key, value in facts.items():
        if isinstance(value, dict):
            found += _numbers(f"{place}/{key}", value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            found.append((f"{place}/{key}", float(value)))
    return found
