"""What must hold before the first step: weights to begin with, and targets that the task can learn from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from dpt_bench.core.errors import UsageError
from dpt_bench.model.dpt import DPT
from dpt_bench.model.load import load_with_origin
from dpt_bench.training.stages import Stage
from dpt_bench.training.tasks._contract import Task


def begin_with(model: DPT, path: Path) -> tuple[str, ...]:
    """Give a network the weights of a trained one of the same parts; what that was trained on.

    Raises:
        UsageError: its parameters have other names or shapes.
        DptBenchError: the file cannot be read; see `load_model`.
    """
    found = load_with_origin(path)
    theirs, ours = found.model.state_dict(), model.state_dict()
    wrong = sorted(theirs.keys() ^ ours.keys()) + [
        name for name in theirs.keys() & ours.keys() if theirs[name].shape != ours[name].shape
    ]
    if wrong:
        raise UsageError(
            f"the network to begin with is another one: {len(wrong)} parameters do not fit, such as {wrong[0]}",
            where=f"model.start = {str(path)!r}",
            fix="choose the model.variant and model.spec that it was made of, but for kind, scale, shift and invert",
        )
    model.load_state_dict(theirs)
    return found.trained_on


def check_targets(task: Task, stages: Sequence[Stage]) -> None:
    """Pass where every dataset has targets that the task can learn from.

    Raises:
        UsageError: the task is metric and a dataset is not.
    """
    drawn = {name for stage in stages for name in stage.loader.mixture.datasets}
    metric = {name for stage in stages for name in stage.loader.metric}
    if task.needs_metric and drawn - metric:
        chosen = f"--set 'data.datasets={json.dumps(sorted(metric))}'"
        fix = chosen if metric else "build shards of a metric dataset"
        raise UsageError(f"{', '.join(sorted(drawn - metric))}: no depth in metres is known", where="task", fix=fix)
