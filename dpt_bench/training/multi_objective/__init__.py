"""From the losses of several datasets to one gradient: naive mixing, or multiple-gradient descent."""

from __future__ import annotations

from typing import Any, Protocol

from torch import Tensor

from dpt_bench.loading import Batch
from dpt_bench.training.choices import MultiObjectiveChoice
from dpt_bench.training.multi_objective.mgda import Mgda
from dpt_bench.training.multi_objective.uniform import Uniform
from dpt_bench.training.passes import Passes


class MultiObjective(Protocol):
    """How the images of a step become one gradient."""

    def backward(self, batch: Batch, step: int) -> Tensor:
        """Leave the gradient of the global batch in the parameters' `.grad`; this rank's losses, (B,), detached."""
        ...

    def facts(self) -> dict[str, Any]:
        """What there is to log since the last call; the same on every rank."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """JSON-able."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None: ...


def build_multi_objective(choice: MultiObjectiveChoice, passes: Passes) -> MultiObjective:
    """The method that a preset chose."""
    return Mgda(passes, choice) if choice.method == "mgda" else Uniform(passes)
