"""Gradients of several objectives side by side, summed over ranks, each rank holding its slice of every one."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.distributed as dist
from torch import Tensor

from dpt_bench.training.distributed import World

COLUMNS = 2**20
"""So many columns at a time become float64 for the Gram matrix."""


class GradientTable:
    """One row an objective. A rank adds its images' part of a row, then `close_row` sums it over ranks.

    The rows are reduced before any product is taken of them: inner products of sums are not sums of inner products.
    With W ranks each keeps 1/W of the columns, so the table takes that share of the memory, and reducing half the
    traffic of an all-reduce.
    """

    def __init__(self, parameters: Sequence[Tensor], num_rows: int, world: World) -> None:
        self._world = world
        self._parameters = parameters
        length = sum(parameter.numel() for parameter in parameters)
        self._share = -(-length // world.size)
        self._rows = parameters[0].new_zeros(num_rows, self._share)
        self._open = self._rows[0:0]
        self._underway: dist.Work | None = None

    def open_row(self, row: int) -> list[Tensor]:
        """Zeros in the shapes of the parameters, to be added to."""
        alone = self._world.size == 1
        self._open = self._rows[row] if alone else self._rows.new_zeros(self._share * self._world.size)
        return self._views(self._open)

    def close_row(self, row: int) -> None:
        """Sum the open row over ranks while the next is computed; all ranks must close the same rows in one order."""
        if self._world.size > 1:
            self._wait()
            self._underway = dist.reduce_scatter_tensor(self._rows[row], self._open, async_op=True)

    def gram(self) -> Tensor:
        """(T, T) inner products of the rows, float64 on the CPU, the same on all ranks."""
        self._wait()
        products = torch.zeros(len(self._rows), len(self._rows), device=self._rows.device, dtype=torch.float64)
        for columns in torch.split(self._rows, COLUMNS, dim=1):
            wide = columns.double()
            products.addmm_(wide, wide.T)
        return self._world.sum(products.cpu())

    def combination(self, weights: Tensor) -> list[Tensor]:
        """sum(weights * rows) in the shapes of the parameters. weights: (T,) float64 on the CPU."""
        self._wait()
        combined = weights.to(self._rows) @ self._rows
        if self._world.size > 1:
            whole = self._rows.new_empty(self._share * self._world.size)
            dist.all_gather_into_tensor(whole, combined)
            combined = whole
        return self._views(combined)

    def _wait(self) -> None:
        if self._underway is not None:
            self._underway.wait()
            self._underway = None

    def _views(self, flat: Tensor) -> list[Tensor]:
        """In the strides of the parameters too, which fused optimisers rely on."""
        views, start = [], 0
        for parameter in self._parameters:
            views.append(flat.as_strided(parameter.size(), parameter.stride(), flat.storage_offset() + start))
            start += parameter.numel()
        return views
