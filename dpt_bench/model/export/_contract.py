"""The contract of an export target. A module of this package holds `TITLE`, `FOLDER` and `write`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from dpt_bench.core.errors import UsageError
from dpt_bench.model.dpt import DPT


@dataclass(frozen=True)
class Export:
    """What is written: a network, and of its origin what a reader of the result may want to know."""

    model: DPT
    trained_on: tuple[str, ...] = ()
    provenance: dict[str, Any] | None = None


class Target(Protocol):
    """TITLE: one line for people. FOLDER: whether it is a folder, else a file."""

    TITLE: str
    FOLDER: bool

    def write(self, export: Export, out: Path) -> list[str]:
        """Write the file, or files into the empty folder `out`; where the target's formula is not the weights' own.

        Raises:
            UsageError: the target has no such network.
        """
        ...


def refusal(target: str, why: str, fix: str) -> UsageError:
    """The error for a network that a target cannot hold."""
    return UsageError(f"{target} has no such network: {why}", where=f"--to {target}", fix=fix)
