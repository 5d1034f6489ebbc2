"""Progress as people read it: rich bars on a terminal, one plain line now and then in a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from dpt_bench.core.progress import Progress

SECONDS_BETWEEN_LINES = 10.0


@contextmanager
def progress() -> Iterator[Progress]:
    """The progress display that fits standard error: bars on a terminal, lines elsewhere."""
    if not sys.stderr.isatty():
        yield Lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Task, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress
    from rich.text import Text

    class Left(TimeRemainingColumn):
        """The task's own estimate where it gives one."""

        def render(self, task: Task) -> Text:
            own = task.fields["seconds_left"]
            return super().render(task) if own is None else Text(_clock(own), style="progress.remaining")

    bars = RichProgress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        Left(),
        TextColumn("{task.fields[note]}"),
        console=Console(stderr=True),
    )
    with bars:
        yield _Bars(bars)


class _Bars:
    def __init__(self, bars: object) -> None:
        from rich.progress import Progress as RichProgress

        assert isinstance(bars, RichProgress)
        self._bars = bars
        self._ids: dict[str, int] = {}

    def start(self, task: str, total: int | None = None) -> None:
        self._ids[task] = self._bars.add_task(task, total=total, note="", seconds_left=None)

    def advance(self, task: str, steps: int = 1, note: str = "", seconds_left: float | None = None) -> None:
        from rich.progress import TaskID

        self._bars.update(TaskID(self._ids[task]), advance=steps, note=note, seconds_left=seconds_left)

    def finish(self, task: str) -> None:
        from rich.progress import TaskID

        identity = self._ids.pop(task, None)
        if identity is not None:
            self._bars.update(TaskID(identity), note="done")
            self._bars.stop_task(TaskID(identity))

    def message(self, text: str) -> None:
        self._bars.console.print(text, markup=False, highlight=False)


@dataclass
class _Line:
    total: int | None
    done: int = 0
    started: float = field(default_factory=lambda: time.monotonic())
    shown: float = field(default_factory=lambda: time.monotonic())


class Lines:
    """Plain lines on standard error, at most one every few seconds for a task."""

    def __init__(self) -> None:
        self._tasks: dict[str, _Line] = {}

    def start(self, task: str, total: int | None = None) -> None:
        self._tasks[task] = _Line(total)
        self.message(f"{task}: started" + (f", {total} to do" if total else ""))

    def advance(self, task: str, steps: int = 1, note: str = "", seconds_left: float | None = None) -> None:
        line = self._tasks[task]
        line.done += steps
        now = time.monotonic()
        if now - line.shown < SECONDS_BETWEEN_LINES:
            return
        line.shown = now
        elapsed = now - line.started
        share = f"/{line.total}" if line.total else ""
        if seconds_left is None and line.total and line.done:
            seconds_left = elapsed / line.done * (line.total - line.done)
        left = "" if seconds_left is None else f", {_clock(seconds_left)} left"
        self.message(f"{task}: {line.done}{share} after {_clock(elapsed)}{left}" + (f", {note}" if note else ""))

    def finish(self, task: str) -> None:
        line = self._tasks.pop(task, None)
        if line is not None:
            self.message(f"{task}: {line.done} done in {_clock(time.monotonic() - line.started)}")

    def message(self, text: str) -> None:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours:02d}:{minutes:02d}"
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
