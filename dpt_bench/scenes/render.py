"""From a style, a seed and an index to a scene, the same in every process."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from dpt_bench.core.sample import Camera
from dpt_bench.scenes.cast import Hits, cast
from dpt_bench.scenes.labels import Label
from dpt_bench.scenes.landmarks import build_landmark
from dpt_bench.scenes.landscapes import build_landscape
from dpt_bench.scenes.noise import Float
from dpt_bench.scenes.outdoors import person
from dpt_bench.scenes.rooms import build_room
from dpt_bench.scenes.scene import Scene, StereoView
from dpt_bench.scenes.shade import Shader, prepare
from dpt_bench.scenes.solids import Thing, move
from dpt_bench.scenes.streets import build_street
from dpt_bench.scenes.styles import Look, Style, style_for
from dpt_bench.scenes.view import View, beside, camera_view
from dpt_bench.scenes.world import World

SAMPLES = 2
"""Rays per pixel and axis. Every second one goes through a pixel's centre and gives its depth; all of them its colour."""

_TRIALS = 6


def scenes_for(recipe_name: str, count: int, seed: int) -> Iterator[Scene]:
    """The first `count` scenes of a recipe's world."""
    style = style_for(recipe_name)
    for index in range(count):
        yield render_scene(style, seed, index)


def render_scene(style: Style, seed: int, index: int) -> Scene:
    """The left view of a scene; its right view is rendered when asked for."""
    staged = _stage(style, seed, index)
    shader = prepare(staged.world)
    hits = _measured(cast(staged.world.solids, staged.view), style)
    centres = hits.surface[::SAMPLES, ::SAMPLES]
    sky = centres < 0
    labels = np.where(sky, np.uint8(Label.SKY), shader.faces.label[np.maximum(centres, 0)])
    return Scene(
        name=f"{staged.world.kind}_{index:04d}",
        index=index,
        image=_photograph(staged, shader, hits, eye=0),
        depth_m=_depth(hits),
        sky=sky,
        labels=labels,
        camera=staged.camera,
        render_right=partial(render_right, style, seed, index),
    )


def render_right(style: Style, seed: int, index: int) -> StereoView:
    """The right view of the same scene, with the flow between both: u = -fx * baseline / z on the left grid, v = 0."""
    staged = _stage(style, seed, index)
    left = _depth(_measured(cast(staged.world.solids, staged.view), style))
    staged = replace(staged, view=beside(staged.view, style.baseline_m))
    hits = _measured(cast(staged.world.solids, staged.view), style)
    right = _depth(hits)
    return StereoView(
        _photograph(staged, prepare(staged.world), hits, eye=1),
        _flow(-staged.camera.fx * style.baseline_m, left),
        _flow(staged.camera.fx * style.baseline_m, right),
    )


@dataclass(frozen=True, eq=False)
class _Staged:
    """A world with the camera set up; `grade` is drawn once, so that both eyes are developed alike."""

    world: World
    camera: Camera
    view: View
    look: Look
    grade: NDArray[np.float64]
    noise_seed: tuple[int, ...]


def _stage(style: Style, seed: int, index: int) -> _Staged:
    """Build worlds until one is worth a picture; the last trial is taken as it is."""
    entropy = (seed, index, zlib.crc32(style.name.encode()))
    rng = np.random.default_rng(entropy)
    height, width = style.sizes[int(rng.integers(len(style.sizes)))]
    focal = rng.uniform(*style.focal) * (width if width >= height else height * 0.85)
    camera = Camera(focal, focal, (width - 1) / 2, (height - 1) / 2, style.baseline_m)
    kinds, weights = zip(*style.contents, strict=True)
    kind = str(rng.choice(kinds, p=np.array(weights) / sum(weights)))
    for _ in range(_TRIALS):
        world = _build(kind, rng, style)
        if _worth_a_picture(world, camera, (height, width), style):
            break
    look = style.look
    grade = np.array([rng.uniform(*span) for span in (look.exposure, look.contrast, look.saturation, look.warmth)])
    return _Staged(world, camera, camera_view(world.eye, camera, height, width, SAMPLES), look, grade, entropy)


def _build(kind: str, rng: np.random.Generator, style: Style) -> World:
    if kind == "room":
        world = build_room(rng, style.outlook)
    elif kind == "office":
        world = build_room(rng, style.outlook, kinds=("office",))
    elif kind in ("street", "pavement"):
        world = build_street(rng, style.outlook, driving=kind == "street", drama=style.drama)
    elif kind == "landmark":
        world = build_landmark(rng, style.outlook, drama=style.drama)
    else:
        world = build_landscape(rng, style.outlook, drama=style.drama)
    if rng.random() < style.people:
        world = replace(world, solids=world.solids + _bystanders(rng, world, style))
    return world


def _bystanders(rng: np.random.Generator, world: World, style: Style) -> Thing:
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


def _worth_a_picture(world: World, camera: Camera, size: tuple[int, int], style: Style) -> bool:
    """Nothing in the camera's face, some depth to see, and not only sky: judged on one ray in eight pixels."""
    height, width = size
    view = camera_view(world.eye, camera, height, width, 1)
    hits = cast(world.solids, View(view.position, view.axes, view.x[4::8], view.y[4::8]))
    seen = hits.inverse_depth[hits.inverse_depth > 0]
    if seen.size < 0.35 * hits.inverse_depth.size or 1 / seen.max() < style.range_m[0]:
        return False
    near, far = np.quantile(seen, (0.92, 0.08))
    return bool(near > 1.9 * far and 1 / near > 1.6 * style.range_m[0])


def _measured(hits: Hits, style: Style) -> Hits:
    """What lies beyond the style's range becomes sky, as it would for a sensor."""
    beyond = hits.inverse_depth < 1 / style.range_m[1]
    hits.inverse_depth[beyond] = 0
    hits.surface[beyond] = -1
    return hits


def _depth(hits: Hits) -> Float:
    inverse = hits.inverse_depth[::SAMPLES, ::SAMPLES]
    return np.divide(1, inverse, out=np.full(inverse.shape, np.inf, np.float32), where=inverse > 0)


def _flow(pixel_metres: float, depth: Float) -> Float:
    return np.stack([np.float32(pixel_metres) / depth, np.zeros_like(depth)], axis=-1)


def _photograph(staged: _Staged, shader: Shader, hits: Hits, *, eye: int) -> NDArray[np.uint8]:
    """Radiance filtered to pixels, graded, with noise: uint8 (H, W, 3)."""
    light = shader.radiance(staged.view, hits)
    tent = np.array([0.25, 0.5, 0.25], np.float32)
    light = cv2.sepFilter2D(light, -1, tent, tent, borderType=cv2.BORDER_REPLICATE)[::SAMPLES, ::SAMPLES]
    exposure, contrast, saturation, warmth = staged.grade.astype(np.float32)
    tint = np.array([1 + warmth, 1, 1 - warmth], np.float32) * exposure
    image = np.sqrt(_shoulder(light * tint))
    grey = image @ np.array([0.3, 0.59, 0.11], np.float32)
    image = grey[..., None] + (image - grey[..., None]) * saturation
    image = 0.45 + (image - 0.45) * contrast
    image = 255 * image * _vignette(image.shape[:2], staged.look.vignette)[..., None]
    if staged.look.blur_px:
        image = cv2.GaussianBlur(image, (0, 0), staged.look.blur_px)
    rng = np.random.default_rng((*staged.noise_seed, eye))
    image += staged.look.noise * rng.standard_normal(image.shape, dtype=np.float32)
    return np.clip(np.round(image), 0, 255).astype(np.uint8)


def _shoulder(light: Float) -> Float:
    """Keeps highlights from clipping: linear up to 0.6, then bending towards 1."""
    over = np.maximum(light - np.float32(0.6), 0)
    return np.minimum(light, np.float32(0.6)) + np.float32(0.4) * over / (over + np.float32(0.4))


def _vignette(size: tuple[int, int], strength: float) -> Float:
    rows, columns = (np.linspace(-1, 1, length, dtype=np.float32) ** 2 for length in size)
    return 1 - np.float32(strength) * (rows[:, None] + columns[None, :]) / 2
