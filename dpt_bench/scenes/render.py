"""From a style, a seed and an index to a scene, the same in every process."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache, partial

import numpy as np

from dpt_bench.scenes.labels import Label
from dpt_bench.scenes.raycast.cast import Hits, cast
from dpt_bench.scenes.raycast.develop import SAMPLES, develop
from dpt_bench.scenes.raycast.noise import Float
from dpt_bench.scenes.raycast.shade import Shader, prepare
from dpt_bench.scenes.raycast.view import beside
from dpt_bench.scenes.scene import Scene, StereoView
from dpt_bench.scenes.stage import Stage, measured, set_stage
from dpt_bench.scenes.styles import Style, style_for


def scenes_for(recipe_name: str, count: int, seed: int) -> Iterator[Scene]:
    """The first `count` scenes of a recipe's world."""
    style = style_for(recipe_name)
    for index in range(count):
        yield render_scene(style, seed, index)


def render_scene(style: Style, seed: int, index: int) -> Scene:
    """The left view of a scene; its right view is rendered when `Scene.right` is first read."""
    stage, shader = _prepared(style, seed, index)
    light = shader.radiance(stage.view, stage.hits)
    surface = stage.hits.surface[::SAMPLES, ::SAMPLES]
    sky = surface < 0
    return Scene(
        name=f"{stage.world.kind}_{index:04d}",
        index=index,
        image=develop(light, style.look, stage.grade, np.random.default_rng((*stage.entropy, 0))),
        depth_m=_depth(stage.hits),
        sky=sky,
        labels=np.where(sky, np.uint8(Label.SKY), shader.faces.label[np.maximum(surface, 0)]),
        camera=stage.camera,
        render_right=partial(render_right, style, seed, index),
    )


def render_right(style: Style, seed: int, index: int) -> StereoView:
    """The right view of the same scene, with the flow between both: u = -fx * baseline / z on the left grid, v = 0."""
    stage, shader = _prepared(style, seed, index)
    view = beside(stage.view, style.baseline_m)
    hits = measured(cast(stage.world.solids, view), style)
    light = shader.radiance(view, hits)
    pixel_metres = stage.camera.fx * style.baseline_m
    return StereoView(
        image=develop(light, style.look, stage.grade, np.random.default_rng((*stage.entropy, 1))),
        flow_forward=_flow(-pixel_metres, stage.hits),
        flow_backward=_flow(pixel_metres, hits),
    )


@lru_cache(maxsize=1)  # the right eye is mostly asked for just after the left one
def _prepared(style: Style, seed: int, index: int) -> tuple[Stage, Shader]:
    stage = set_stage(style, seed, index)
    return stage, prepare(stage.world)


def _depth(hits: Hits) -> Float:
    """Planar z at the pixels' centres, inf where nothing is."""
    inverse = hits.inverse_depth[::SAMPLES, ::SAMPLES]
    return np.divide(1, inverse, out=np.full(inverse.shape, np.inf, np.float32), where=inverse > 0)


def _flow(pixel_metres: float, hits: Hits) -> Float:
    across = np.float32(pixel_metres) * hits.inverse_depth[::SAMPLES, ::SAMPLES]
    return np.stack([across, np.zeros_like(across)], axis=-1)
