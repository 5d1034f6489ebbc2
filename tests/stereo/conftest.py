"""Rendered stereo pairs with exact flow, flow made by hand, and the pictures of small videos."""

from __future__ import annotations

import numpy as np
import pytest

from dpt_bench.scenes import Scene, scenes_for
from dpt_bench.stereo import Rules


@pytest.fixture(scope="session")
def stereo_scenes() -> list[Scene]:
    return list(scenes_for("movies", 6, seed=3))


@pytest.fixture
def movie_rules() -> Rules:
    return Rules(2.0, 0.1, 10.0, 2.0, 0.7)


@pytest.fixture
def good_flow() -> tuple[np.ndarray, np.ndarray]:
    """Forward and backward flow (40, 100, 2) of a plane that slants away: disparity 2 to 22 px, consistent."""
    columns = np.broadcast_to(np.arange(100, dtype=np.float64), (40, 100))
    forward, backward = np.zeros((2, 40, 100, 2), np.float32)
    forward[..., 0] = -(2 + 0.2 * columns)
    backward[..., 0] = 2 + 0.2 * (columns + 2) / 0.8  # x' = x - 2 - 0.2 x
    return forward, backward


@pytest.fixture
def numbered_pictures() -> list[np.ndarray]:
    """40 side-by-side pictures (32, 96, 3): the left half is 5 times the frame's number, the right half 3 more."""
    pictures = []
    for number in range(40):
        picture = np.full((32, 96, 3), 5 * number, np.uint8)
        picture[:, 48:] += 3
        pictures.append(picture)
    return pictures
