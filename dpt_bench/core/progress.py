"""How long work tells of its progress, whoever listens: bars on a terminal, lines in a log, nobody in a test."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Tasks are named by what they do; one name runs once at a time."""

    def start(self, task: str, total: int | None = None) -> None:
        """Begin a task of `total` steps (None: unknown)."""
        ...

    def advance(self, task: str, steps: int = 1, note: str = "", seconds_left: float | None = None) -> None:
        """`steps` more are done; `note` replaces the short text beside the bar.

        seconds_left: the task's own estimate, where steps alone do not tell it.
        """
        ...

    def finish(self, task: str) -> None:
        """The task is over."""
        ...

    def message(self, text: str) -> None:
        """A line worth keeping."""
        ...


class Silent:
    """Listens to nothing."""

    def start(self, task: str, total: int | None = None) -> None: ...

    def advance(self, task: str, steps: int = 1, note: str = "", seconds_left: float | None = None) -> None: ...

    def finish(self, task: str) -> None: ...

    def message(self, text: str) -> None: ...


SILENT: Progress = Silent()
