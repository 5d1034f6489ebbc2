"""The procedural sample world: a numpy ray caster of scenes that carry the monocular cues a network learns from."""

from dpt_bench.scenes.labels import CLASS_NAMES, Label
from dpt_bench.scenes.render import render_scene, scenes_for
from dpt_bench.scenes.scene import Scene, StereoView
from dpt_bench.scenes.styles import STYLES, Style, style_for

__all__ = ["CLASS_NAMES", "STYLES", "Label", "Scene", "StereoView", "Style", "render_scene", "scenes_for", "style_for"]
