"""Things have the sizes that a viewer knows, stand on the floor, and stay inside their room."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
import pytest

from dpt_bench.scenes.content import furniture, household, outdoors, plants, vehicles
from dpt_bench.scenes.content.landmarks import build_landmark
from dpt_bench.scenes.content.landscapes import build_landscape
from dpt_bench.scenes.content.outlook import Outlook
from dpt_bench.scenes.content.people import person
from dpt_bench.scenes.content.rooms import build_room
from dpt_bench.scenes.content.streets import build_street
from dpt_bench.scenes.raycast.solids import Solid, Thing
from dpt_bench.scenes.raycast.world import World

Rng = np.random.Generator
OUTLOOK = Outlook((1.4, 1.7), (-5, 5))
CORNERS = np.array(list(product((-1, 1), repeat=3)), np.float64)


def bounds(thing: Thing) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest corner of the boxes around all solids."""
    corners = np.concatenate([solid.centre + (CORNERS * solid.half) @ solid.axes for solid in thing])
    return corners.min(axis=0), corners.max(axis=0)


@pytest.mark.parametrize(
    ("maker", "height_m", "length_m"),
    [
        (person, (1.45, 2.05), (0.4, 1.6)),
        (vehicles.car, (1.2, 3.4), (3.6, 9.2)),
        (vehicles.van, (2.0, 3.4), (4.7, 9.2)),
        (plants.tree, (3.5, 12.0), (1.0, 11.0)),
        (outdoors.house, (4.5, 10.0), (6.0, 11.0)),
        (outdoors.street_lamp, (4.4, 7.6), (1.3, 2.0)),
        (furniture.chair, (0.85, 1.0), (0.4, 0.6)),
        (furniture.bed, (0.7, 1.3), (1.9, 2.3)),
        (furniture.sofa, (0.7, 1.0), (0.8, 2.8)),
        (furniture.desk, (0.8, 1.4), (1.2, 2.1)),
        (furniture.bookshelf, (1.3, 2.3), (0.7, 1.9)),
        (household.floor_lamp, (1.4, 2.1), (0.2, 0.5)),
    ],
)
def test_things_have_their_known_sizes(
    maker: Callable[[Rng], Thing], height_m: tuple[float, float], length_m: tuple[float, float]
) -> None:
    for seed in range(10):
        low, high = bounds(maker(np.random.default_rng(seed)))
        assert -2.5 < low[1] < 0.08  # boxes around rocks and domes reach below the ground
        assert height_m[0] <= high[1] <= height_m[1]
        across = max(high[0] - low[0], high[2] - low[2])
        assert length_m[0] <= across <= length_m[1]


def test_furniture_stays_in_its_room() -> None:
    for seed in range(12):
        world = build_room(np.random.default_rng(seed), OUTLOOK)
        assert world.enclosure is not None
        half_x, top, half_z = world.enclosure
        for solid in world.solids[1:]:
            inner = np.abs(solid.centre[[0, 2]]) - [half_x, half_z]
            assert (inner < 0.1).all()
            assert -0.01 <= solid.centre[1] <= top


@pytest.mark.parametrize("build", [build_street, build_landmark, build_landscape, build_room])
def test_worlds_are_the_same_for_the_same_seed(build: Callable[[Rng, Outlook], World]) -> None:
    first, again, other = (build(np.random.default_rng(seed), OUTLOOK) for seed in (1, 1, 2))
    assert len(first.solids) == len(again.solids)
    assert all((a.centre == b.centre).all() for a, b in zip(first.solids, again.solids, strict=True))
    assert len(other.solids) != len(first.solids) or any(
        (a.centre != b.centre).any() for a, b in zip(first.solids, other.solids, strict=True)
    )


def test_normals_are_unit_vectors_and_offsets_agree_with_the_bounding_box() -> None:
    for solid in build_street(np.random.default_rng(4), OUTLOOK).solids:
        if len(solid.offsets):
            np.testing.assert_allclose(np.linalg.norm(solid.normals, axis=1), 1, rtol=1e-9)
            assert _contains(solid, solid.centre)


def _contains(solid: Solid, point: np.ndarray) -> bool:
    return bool((solid.normals @ point <= solid.offsets + 1e-9).all())
