"""Counter-based random numbers: every number is a pure function of the words that name it.

Only the raw 64-bit output of numpy's Philox is used, which numpy keeps the same between releases (NEP 19), unlike that
of its `Generator`: a run resumes exactly after an upgrade.
"""

from __future__ import annotations

import threading
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

_NUMBERS_A_BLOCK = 4  # Philox turns one value of its counter into so many


class Stream:
    """The random numbers named by `words`, such as (seed, "order", dataset, epoch)."""

    def __init__(self, *words: str | int) -> None:
        text = "\x1f".join(str(word) for word in words)
        self._key = np.frombuffer(blake2b(text.encode(), digest_size=16).digest(), dtype=np.uint64)
        self._drawn = 0

    def uniform(self, count: int) -> NDArray[np.float64]:
        """The next `count` numbers, uniform in [0, 1)."""
        raw = self._next(count)
        return (raw >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def permutation(self, count: int) -> NDArray[np.int64]:
        """The numbers 0..count-1 in random order."""
        return np.argsort(self._next(count), kind="stable").astype(np.int64)

    def _next(self, count: int) -> NDArray[np.uint64]:
        block, skipped = divmod(self._drawn, _NUMBERS_A_BLOCK)
        self._drawn += count
        return _GENERATOR.raw(self._key, block, skipped + count)[skipped:]


class _Generator(threading.local):
    """One Philox a thread, set to where it is wanted: making one asks the system for entropy, which takes longer."""

    def __init__(self) -> None:
        self._bits = np.random.Philox(0)
        self._state = self._bits.state
        self._state["buffer_pos"] = _NUMBERS_A_BLOCK  # used up

    def raw(self, key: NDArray[np.uint64], block: int, count: int) -> NDArray[np.uint64]:
        """`count` numbers of the sequence of a key, from a block on."""
        self._state["state"]["key"] = key
        self._state["state"]["counter"][0] = block
        self._bits.state = self._state
        return np.asarray(self._bits.random_raw(count), dtype=np.uint64)


_GENERATOR = _Generator()
