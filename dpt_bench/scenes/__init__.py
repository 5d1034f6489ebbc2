"""The procedural sample world: a numpy ray caster of scenes that carry the monocular cues a network learns from."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from dpt_bench.scenes.labels import CLASS_NAMES, Label
from dpt_bench.scenes.scene import Scene, StereoView

if TYPE_CHECKING:
    from dpt_bench.scenes.render import render_scene, scenes_for
    from dpt_bench.scenes.styles import STYLES, Style, style_for

__all__ = ["CLASS_NAMES", "STYLES", "Label", "Scene", "StereoView", "Style", "render_scene", "scenes_for", "style_for"]

# imported when it is first asked for: readers need `Scene` alone
_HOMES = {
    "STYLES": "styles",
    "Style": "styles",
    "render_scene": "render",
    "scenes_for": "render",
    "style_for": "styles",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
