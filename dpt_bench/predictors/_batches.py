"""Batches of one size each, which shrink where memory runs out."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from dpt_bench.core.errors import DptBenchError

Result = TypeVar("Result")
Size = tuple[int, int]
Forward = Callable[[list[int]], Sequence[Result]]

_SIGNS = ("out of memory", "not enough memory", "can't allocate memory", "failed to allocate memory", "bad_alloc")
_LOG = logging.getLogger(__name__)


@dataclass
class Batches:
    """Groups inputs by size and remembers, for each size, how many fitted into memory."""

    largest: int
    _fitting: dict[Size, int] = field(default_factory=dict)

    def run(self, sizes: Sequence[Size], forward: Forward[Result]) -> list[Result]:
        """Results in the order of `sizes`; `forward` gets places of inputs that share one size.

        Raises:
            DptBenchError: a single input does not fit into memory.
        """
        found: dict[int, Result] = {}
        for size in dict.fromkeys(sizes):
            waiting = [place for place, its_size in enumerate(sizes) if its_size == size]
            while waiting:
                places = waiting[: self._fitting.get(size, self.largest)]
                results = _attempt(forward, places)
                if results is None:
                    self._shrink(size, len(places))
                else:
                    found.update(zip(places, results, strict=True))
                    waiting = waiting[len(places) :]
        return [found[place] for place in range(len(sizes))]

    def _shrink(self, size: Size, tried: int) -> None:
        if tried == 1:
            raise DptBenchError(
                f"not enough memory to predict one image at {size[0]} x {size[1]} (height x width)",
                fix="use --precision bf16, a smaller network, or another device",
            )
        self._fitting[size] = tried // 2
        _LOG.warning("out of memory with %d images of %d x %d; going on with %d", tried, *size, tried // 2)


def _attempt(forward: Forward[Result], places: list[int]) -> Sequence[Result] | None:
    """None when memory ran out; whatever the failed attempt held is free by then."""
    try:
        return forward(places)
    except (RuntimeError, MemoryError) as error:
        if not _is_out_of_memory(error):
            raise
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()
    return None


def _is_out_of_memory(error: Exception) -> bool:
    text = str(error).lower()
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or any(sign in text for sign in _SIGNS)
    )
