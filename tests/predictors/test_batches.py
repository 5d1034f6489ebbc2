"""Grouping by size, and what happens when memory runs out."""

from __future__ import annotations

import logging

import pytest
import torch

from dpt_bench.core.errors import DptBenchError
from dpt_bench.predictors._batches import Batches

SIZES = [(2, 3), (3, 2), (2, 3), (2, 3), (3, 2)]


def test_one_size_a_batch_and_results_in_order() -> None:
    batches: list[list[int]] = []

    def forward(places: list[int]) -> list[int]:
        batches.append(places)
        return [10 * place for place in places]

    assert Batches(2).run(SIZES, forward) == [0, 10, 20, 30, 40]
    assert batches == [[0, 2], [3], [1, 4]]


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"),
        MemoryError(),
    ],
)
def test_out_of_memory_goes_on_with_smaller_batches(error, caplog) -> None:
    batches: list[int] = []

    def forward(places: list[int]) -> list[int]:
        batches.append(len(places))
        if len(places) > 2:
            raise error
        return places

    runner = Batches(8)
    with caplog.at_level(logging.WARNING):
        assert runner.run([(4, 4)] * 8, forward) == list(range(8))
    assert batches == [8, 4, 2, 2, 2, 2]
    assert "out of memory with 8 images" in caplog.text
    batches.clear()
    runner.run([(4, 4)] * 4, forward)
    assert batches == [2, 2], "what fits is remembered"
    batches.clear()
    runner.run([(2, 2)] * 2, forward)
    assert batches == [2], "for each size"


def test_a_single_image_that_does_not_fit_is_an_error() -> None:
    def forward(places: list[int]) -> list[int]:
        raise torch.OutOfMemoryError

    with pytest.raises(DptBenchError, match="not enough memory to predict one image at 4 x 6"):
        Batches(3).run([(4, 6)] * 3, forward)


def test_other_errors_are_not_hidden() -> None:
    def forward(places: list[int]) -> list[int]:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="shapes cannot"):
        Batches(3).run([(4, 6)] * 3, forward)
