"""What multiple-gradient descent found, for the log: means over the steps in which datasets were together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from torch import Tensor


class Record:
    """Sums since the last call of `facts`."""

    def __init__(self) -> None:
        self._begin()

    def add(self, names: Sequence[str], weights: Tensor, gram: Tensor) -> None:
        """One solution: (T,) weights and (T, T) inner products of the gradients of the datasets `names`."""
        norms = gram.diagonal().clamp(min=0).sqrt()
        cosines = gram / (norms[:, None] * norms).clamp(min=1e-300)
        for row, name in enumerate(names):
            self._weights[name].append(float(weights[row]))
            self._norms[name].append(float(norms[row]))
            for column in range(row):
                self._cosines[name, names[column]].append(float(cosines[row, column]))

    def facts(self) -> dict[str, Any]:
        """By dataset: weight, gradient_norm; by pairs of datasets: cosine. Nothing where nothing was solved."""
        if not self._weights:
            return {}
        cosines: dict[str, dict[str, float]] = {}
        for (one, other), values in sorted(self._cosines.items()):
            cosines.setdefault(one, {})[other] = _mean(values)
        found = {
            "weight": {name: _mean(values) for name, values in self._weights.items()},
            "gradient_norm_by_dataset": {name: _mean(values) for name, values in self._norms.items()},
            "cosine": cosines,
        }
        self._begin()
        return found

    def _begin(self) -> None:
        self._weights: dict[str, list[float]] = defaultdict(list)
        self._norms: dict[str, list[float]] = defaultdict(list)
        self._cosines: dict[tuple[str, str], list[float]] = defaultdict(list)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
