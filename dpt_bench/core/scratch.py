"""Arrays that a thread uses again for its next image.

Memory that is taken anew for every image is handed out by the kernel page by page, which cost a third of the time of an
NYU image's score, and varied with whatever else the process had freed.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

_KEPT = 1 << 20  # numbers that are kept, of each array; a larger image's memory is its own, and goes with it


class _Thread(threading.local):
    def __init__(self) -> None:
        self.arrays: dict[tuple[str, np.dtype[Any]], NDArray[Any]] = {}


_thread = _Thread()


def scratch(name: str, count: int, dtype: DTypeLike = np.float64) -> NDArray[Any]:
    """An uninitialised (count,) array, which the same thread's next call with this name may overwrite.

    Nothing that outlives an image's score may be a view of it.
    """
    if count > _KEPT:
        return np.empty(count, dtype)
    place = (name, np.dtype(dtype))
    known = _thread.arrays.get(place)
    if known is None or known.size < count:
        known = _thread.arrays[place] = np.empty(count, dtype)
    return known[:count]
