"""Counter-based random numbers: every number is a pure function of the words that name it.

Only the raw 64-bit output of numpy's Philox is used, which numpy keeps the same between releases (NEP 19), unlike that
of its `Generator`: a run resumes exactly after an upgrade.
"""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray


class Stream:
    """The random numbers named by `words`, such as (seed, "order", dataset, epoch)."""

    def __init__(self, *words: str | int) -> None:
        text = "\x1f".join(str(word) for word in words)
        digest = blake2b(text.encode(), digest_size=16).digest()
        self._bits = np.random.Philox(key=np.frombuffer(digest, dtype=np.uint64))

    def uniform(self, count: int) -> NDArray[np.float64]:
        """The next `count` numbers, uniform in [0, 1)."""
        raw = np.asarray(self._bits.random_raw(count), dtype=np.uint64)
        return (raw >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def permutation(self, count: int) -> NDArray[np.int64]:
        """The numbers 0..count-1 in random order."""
        raw = np.asarray(self._bits.random_raw(count), dtype=np.uint64)
        return np.argsort(raw, kind="stable").astype(np.int64)
