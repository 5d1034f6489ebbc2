"""Sets up a scene: draws a world of the style, puts the camera into it, and looks whether it makes a picture."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace

import numpy as np

from dpt_bench.core.sample import Camera
from dpt_bench.scenes.content.landmarks import build_landmark
from dpt_bench.scenes.content.landscapes import build_landscape
from dpt_bench.scenes.content.people import person
from dpt_bench.scenes.content.rooms import build_room
from dpt_bench.scenes.content.streets import build_street
from dpt_bench.scenes.raycast.cast import Hits, cast
from dpt_bench.scenes.raycast.develop import SAMPLES, draw_grade
from dpt_bench.scenes.raycast.noise import Float
from dpt_bench.scenes.raycast.solids import Thing, move
from dpt_bench.scenes.raycast.view import View, camera_view
from dpt_bench.scenes.raycast.world import World
from dpt_bench.scenes.styles import Style

Rng = np.random.Generator
_TRIALS = 6


@dataclass(frozen=True, eq=False)
class Stage:
    """A world, the left camera, and what that sees; `entropy` seeds what is drawn later, `grade` the development."""

    world: World
    camera: Camera
    view: View
    hits: Hits
    grade: Float
    entropy: tuple[int, ...]


def set_stage(style: Style, seed: int, index: int) -> Stage:
    """Build worlds until one makes a picture; the last trial is taken as it is."""
    entropy = (seed, index, zlib.crc32(style.name.encode()))
    rng = np.random.default_rng(entropy)
    height, width = style.sizes[int(rng.integers(len(style.sizes)))]
    focal = float(rng.uniform(*style.focal)) * (width if width >= height else height * 0.85)
    camera = Camera(focal, focal, (width - 1) / 2, (height - 1) / 2, style.baseline_m)
    kinds, weights = zip(*style.contents, strict=True)
    kind = str(rng.choice(kinds, p=np.array(weights) / sum(weights)))
    grade = draw_grade(style.look, rng)
    for _ in range(_TRIALS):
        world = _build(kind, rng, style)
        view = camera_view(world.eye, camera, height, width, SAMPLES)
        hits = measured(cast(world.solids, view), style)
        if _makes_a_picture(hits, style):
            break
    return Stage(world, camera, view, hits, grade, entropy)


def measured(hits: Hits, style: Style) -> Hits:
    """The hits, with all that lies beyond the style's range turned into sky."""
    beyond = hits.inverse_depth < 1 / style.range_m[1]
    return Hits(np.where(beyond, np.float32(0), hits.inverse_depth), np.where(beyond, np.int32(-1), hits.surface))


def _build(kind: str, rng: Rng, style: Style) -> World:
    if kind in ("room", "office"):
        world = build_room(rng, style.outlook, kinds=("office",) if kind == "office" else None)
    elif kind in ("street", "pavement"):
        world = build_street(rng, style.outlook, driving=kind == "street", drama=style.drama)
    elif kind == "landmark":
        world = build_landmark(rng, style.outlook, drama=style.drama)
    else:
        world = build_landscape(rng, style.outlook, drama=style.drama)
    if rng.random() < style.people:
        world = replace(world, solids=world.solids + _bystanders(rng, world, style))
    return world


def _bystanders(rng: Rng, world: World, style: Style) -> Thing:
    """People near the camera, within its view and, in a room, within the walls."""
    solids: Thing = []
    for _ in range(int(rng.integers(1, 4))):
        distance = rng.uniform(*style.people_m)
        angle = world.eye.yaw + rng.uniform(-0.45, 0.45)
        x = float(world.eye.position[0] + distance * np.sin(angle))
        z = float(world.eye.position[2] + distance * np.cos(angle))
        if world.enclosure and (abs(x) > world.enclosure[0] - 0.4 or abs(z) > world.enclosure[2] - 0.4):
            continue
        solids += move(person(rng), x, z, yaw=float(rng.uniform(-np.pi, np.pi)))
    return solids


def _makes_a_picture(hits: Hits, style: Style) -> bool:
    """Nothing in the camera's face, some range of depth to see, and not only sky: judged on a coarse grid."""
    coarse = hits.inverse_depth[::8, ::8]
    seen = coarse[coarse > 0]
    if seen.size < 0.35 * coarse.size or hits.inverse_depth.max() > 1 / style.range_m[0]:
        return False
    near, far = 1 / np.quantile(seen, 0.92), 1 / np.quantile(seen, 0.08)
    return bool(far > 1.9 * near and near > 1.6 * style.range_m[0])
