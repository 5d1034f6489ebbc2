"""Multiple-gradient descent over datasets (Sener and Koltun, NeurIPS 2018), as MiDaS and DPT mix theirs.

In depth from many datasets there are no heads by task: all parameters are shared. MGDA-UB, which bounds the problem by
the gradients of a representation, needs the same images for all tasks; with one dataset an image its Gram matrix is
diagonal, and its weights are mere inverse squared norms. So the gradients here are those of the parameters.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from dpt_bench.core.errors import UsageError
from dpt_bench.loading import Batch
from dpt_bench.training.choices import MultiObjectiveChoice
from dpt_bench.training.multi_objective.gradients import GradientTable
from dpt_bench.training.multi_objective.min_norm import min_norm_weights
from dpt_bench.training.multi_objective.record import Record
from dpt_bench.training.passes import Images, Passes


class Mgda:
    """Follows the min-norm point of the gradients of the datasets that are in a step.

    A dataset's objective is the mean loss of its images in the global batch; images that say nothing, and datasets of
    which a step has no others, are left out. All ranks take the same datasets in the same order, with zeros where they
    have no image of one. Batch norm, in networks that have it, sees the images of one dataset and rank alone.
    """

    def __init__(self, passes: Passes, choice: MultiObjectiveChoice) -> None:
        """Raises UsageError where `choice.parameters` names none of the network's."""
        self._passes, self._choice = passes, choice
        self._all = [parameter for parameter in passes.model.parameters() if parameter.requires_grad]
        self._solved_on = self._all if choice.parameters is None else _chosen(passes.model, choice.parameters)
        self._weights: dict[str, float] = {}
        self._record = Record()

    def backward(self, batch: Batch, step: int) -> Tensor:
        """Leave the combined gradient in `.grad`; this rank's losses, (B,)."""
        counted = self._passes.task.informative(batch)
        mine = torch.zeros(len(batch.names), dtype=torch.float64, device=counted.device)
        counts = self._passes.world.sum_on_device(mine.index_add_(0, batch.dataset, counted.double()))
        for name in batch.names:
            self._weights.setdefault(name, 1.0 / len(batch.names))
        shares = counted / counts.clamp(min=1)[batch.dataset]
        means = self._passes.mean_counts(batch, shares, batch.dataset, len(batch.names))
        if step % self._choice.every:
            return self._weighted(batch, counted, counts, means)
        sizes = counts.tolist()
        table, losses = self._table(batch, counted, sizes, means)
        weights = self._solve(table, [name for name, size in zip(batch.names, sizes, strict=True) if size])
        if self._choice.parameters is not None:
            return self._weighted(batch, counted, counts, means)
        for parameter, gradient in zip(self._all, table.combination(weights), strict=True):
            parameter.grad = gradient
        return losses

    def facts(self) -> dict[str, Any]:
        """Weights, gradient norms and cosines by dataset: means since the last call."""
        return self._record.facts()

    def state_dict(self) -> dict[str, Any]:
        return dict(self._weights)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._weights = {str(name): float(weight) for name, weight in state.items()}

    def _table(
        self, batch: Batch, counted: Tensor, sizes: Sequence[float], means: Tensor | None
    ) -> tuple[GradientTable, Tensor]:
        """The gradient of every present dataset's objective, and this rank's losses, (B,).

        sizes: counted images of each dataset, over all ranks. means: `Passes.mean_counts`.
        """
        present = [number for number, size in enumerate(sizes) if size]
        table = GradientTable(self._solved_on, len(present), self._passes.world)
        losses = torch.zeros(len(batch), device=counted.device, dtype=torch.float64)
        dataset = torch.where(counted, batch.dataset, -1).tolist()
        for row, number in enumerate(present):
            places = [place for place, owner in enumerate(dataset) if owner == number]
            sums = table.open_row(row)
            if places:
                images = Images(batch, places, means)
                found = self._passes.gradients(images, self._solved_on, sums, 1.0 / sizes[number])
                losses[places] = found.double()
            table.close_row(row)
        return table, losses

    def _solve(self, table: GradientTable, names: Sequence[str]) -> Tensor:
        """The best weights (T,) of the table's rows, remembered for the steps to come."""
        gram = table.gram()
        weights = torch.from_numpy(min_norm_weights(gram.numpy())) if names else torch.zeros(0, dtype=torch.float64)
        weights = torch.as_tensor(self._passes.world.from_main(weights))
        # datasets that are absent keep their share; shares that are all zero would stay so, whatever was solved
        mass = sum(self._weights[name] for name in names) or len(names) / len(self._weights)
        self._weights |= {name: mass * weight for name, weight in zip(names, weights.tolist(), strict=True)}
        self._record.add(names, weights, gram)
        return weights

    def _weighted(self, batch: Batch, counted: Tensor, counts: Tensor, means: Tensor | None) -> Tensor:
        """One ordinary pass with the weights that are known; those of the present datasets are scaled to sum to one."""
        known = torch.tensor([self._weights[name] for name in batch.names], dtype=torch.float64, device=counts.device)
        present = (counts > 0).double()
        shares = torch.where((known * present).sum() > 0, known * present, present)
        shares = shares / shares.sum().clamp(min=1e-300) / counts.clamp(min=1)
        mean_over_ranks = self._passes.world.size  # turned back into a sum
        return self._passes.weighted_backward(batch, mean_over_ranks * shares[batch.dataset] * counted, means)


def _chosen(model: nn.Module, beginnings: Sequence[str]) -> list[nn.Parameter]:
    named = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    for beginning in beginnings:
        if not any(name.startswith(beginning) for name in named):
            tops = sorted({name.partition(".")[0] + "." for name in named})
            raise UsageError(f"no parameter's name begins with {beginning!r}", where="multi_objective.parameters",
                             fix=f"begin with one of {', '.join(tops)}")  # fmt: skip
    return [parameter for name, parameter in named.items() if name.startswith(tuple(beginnings))]
