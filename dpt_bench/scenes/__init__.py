"""The procedural sample world: a numpy ray caster of scenes that carry the monocular cues a network learns from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dpt_bench.core.lazy import lazy
from dpt_bench.scenes.labels import CLASS_NAMES, Label
from dpt_bench.scenes.scene import Scene, StereoView

if TYPE_CHECKING:
    from dpt_bench.scenes.render import render_scene, scenes_for
    from dpt_bench.scenes.styles import STYLES, Style, style_for

__all__ = ["CLASS_NAMES", "STYLES", "Label", "Scene", "StereoView", "Style", "render_scene", "scenes_for", "style_for"]

# readers need `Scene` alone
__getattr__ = lazy(
    __name__,
    {
        "STYLES": ".styles",
        "Style": ".styles",
        "render_scene": ".render",
        "scenes_for": ".render",
        "style_for": ".styles",
    },
)
