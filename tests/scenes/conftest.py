"""Scenes that several tests look at, rendered once."""

from __future__ import annotations

import pytest

from dpt_bench.scenes import STYLES, Scene, render_scene


@pytest.fixture(scope="session")
def street() -> Scene:
    return render_scene(STYLES["kitti"], 0, 0)


@pytest.fixture(scope="session")
def living_room() -> Scene:
    return render_scene(STYLES["nyu"], 0, 1)


@pytest.fixture(scope="session")
def square() -> Scene:
    return render_scene(STYLES["megadepth"], 0, 0)
