"""What a run tells while it lasts: log.jsonl, one object a line, and the same numbers for TensorBoard and W&B."""

from __future__ import annotations

import importlib
import json
import math
import secrets
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch.utils.tensorboard import SummaryWriter

from dpt_bench.core.errors import UsageError
from dpt_bench.formats.images import encode_png

LOG = "log.jsonl"
TENSORBOARD = "tensorboard"
PICTURES = "pictures"


class RunLog:
    """Rank 0's log; on other ranks (`out` None) it says nothing.

    A resumed run appends: where a step occurs twice, the later line holds.
    """

    def __init__(self, out: Path | None, first_step: int, boards: tuple[Board, ...] = ()) -> None:
        self._out = out
        self._file = None if out is None else (out / LOG).open("a", encoding="utf-8")
        self._boards = () if out is None else (TensorBoard(out, first_step), *boards)

    def write(self, event: str, step: int, facts: dict[str, Any]) -> None:
        """Log one event; numbers within `facts` go to the boards under `event/key` and `event/key/sub-key`."""
        if self._file is None:
            return
        self._file.write(json.dumps({"event": event, "step": step, **_finite(facts)}, allow_nan=False) + "\n")
        self._file.flush()
        for board in self._boards:
            board.numbers(dict(_numbers(event, facts)), step)

    def picture(self, name: str, step: int, image: NDArray[np.uint8]) -> None:
        """Keep an RGB picture (H, W, 3) as pictures/<name>-<step>.png, and show it on the boards."""
        if self._out is None:
            return
        folder = self._out / PICTURES
        folder.mkdir(exist_ok=True)
        (folder / f"{name}-{step:08d}.png").write_bytes(encode_png(image))
        for board in self._boards:
            board.picture(name, image, step)

    def close(self) -> None:
        """Flush and close all."""
        if self._file is not None:
            self._file.close()
        for board in self._boards:
            board.close()


class TensorBoard:
    """Event files below tensorboard/."""

    def __init__(self, out: Path, first_step: int) -> None:
        self._writer = SummaryWriter(str(out / TENSORBOARD), purge_step=first_step)

    def numbers(self, values: dict[str, float], step: int) -> None:
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def picture(self, name: str, image: NDArray[np.uint8], step: int) -> None:
        self._writer.add_image(name, image, step, dataformats="HWC")

    def close(self) -> None:
        self._writer.close()


class WeightsAndBiases:
    """A run of a Weights & Biases project, named by the run folder; a resumed run goes on in it."""

    def __init__(self, project: str, out: Path, preset: dict[str, Any]) -> None:
        """Raises UsageError where the package is missing."""
        try:
            self._wandb = importlib.import_module("wandb")
        except ImportError as error:
            raise UsageError(
                "logging to Weights & Biases needs the package wandb",
                where=f"wandb = {project!r}",
                fix='pip install "dpt-bench[wandb]", or --set wandb=none',
            ) from error
        self._run = self._wandb.init(
            project=project, name=out.name, id=identity(out), dir=str(out), config=preset, resume="allow"
        )

    def numbers(self, values: dict[str, float], step: int) -> None:
        self._run.log(values, step=step)

    def picture(self, name: str, image: NDArray[np.uint8], step: int) -> None:
        self._run.log({name: self._wandb.Image(image)}, step=step)

    def close(self) -> None:
        self._run.finish()


Board = TensorBoard | WeightsAndBiases


def identity(out: Path) -> str:
    """Of the run in this folder, for every call; a folder of the same path elsewhere holds another run."""
    file = out / "wandb-id"
    if not file.exists():
        file.write_text(secrets.token_hex(8))
    return file.read_text()


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
