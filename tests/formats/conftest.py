"""Arrays and damaged bytes that all codecs are tested with."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray


@pytest.fixture(scope="session")
def photo() -> NDArray[np.uint8]:
    """A smooth RGB picture (48, 64, 3) with some noise, as a camera would see it."""
    rows, columns = np.mgrid[0:48, 0:64]
    channels = [128 + 100 * np.sin(rows / 9), 128 + 100 * np.cos(columns / 11), 2 * (rows + columns)]
    noise = np.random.default_rng(0).normal(0, 2, (48, 64, 3))
    return np.clip(np.stack(channels, axis=-1) + noise, 0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def depth() -> NDArray[np.float32]:
    """A float map (20, 30) with a plane and a box."""
    values = np.linspace(1, 9, 600, dtype=np.float32).reshape(20, 30)
    values[5:12, 8:20] = 0.5
    return values
