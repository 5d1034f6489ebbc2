"""Example trees of WSVD: clips of single frames, one of them with the eyes swapped, and three frames to refuse."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from dpt_bench.core.recipe import Recipe
from dpt_bench.formats import images
from dpt_bench.readers import _example
from dpt_bench.readers._stereo_example import FLOW_ENCODERS, Pair, encode_sky, encoded_pictures, refused
from dpt_bench.readers._stereo_layout import StereoLayout
from dpt_bench.readers._wsvd_clips import FOLDERS_OF_SPLITS, json_list
from dpt_bench.scenes.scene import Scene
from dpt_bench.stereo.clips import Clip, encode_clips

VIDEOS = ("SampleWrld0", "-A_sample-1", "sample_wld_")
"""Eleven characters, as YouTube has them: with dashes and underscores anywhere."""
FIRST_FRAME = 434
ENDINGS = ("npz", "flo", "npz", "npy", "npz", "npz", "npz", "npz")
"""Of the flow files of scene after scene: mostly the small ones."""


def write(root: Path, recipe: Recipe, layout: StereoLayout, scenes: Iterable[Scene]) -> None:
    """Every scene as a clip of its own; every eighth for validation, every eighth with label -1."""
    clips: dict[str, list[Clip]] = {split: [] for split in FOLDERS_OF_SPLITS}
    count = 0
    for scene in scenes:
        split = "val" if _example.validates(scene) else "train"
        label = -1 if layout.eye_order == "label" and scene.index % 8 == 5 else 1
        clip = Clip(video=VIDEOS[scene.index % len(VIDEOS)], clip=scene.index, frames=(FIRST_FRAME,), label=label)
        pair = Pair.of(scene)
        if layout.swapped(clip.video, label):
            pair = pair.swapped()
        place = f"{FOLDERS_OF_SPLITS[split]}/{clip.name}"
        ending = ENDINGS[scene.index % len(ENDINGS)]
        _write_frame(root, f"{place}/{FIRST_FRAME:06d}", pair, layout, ending)
        if scene.index % 2 == 0:
            _example.write_file(root, f"sky/{place}/{FIRST_FRAME:06d}.png", encode_sky(scene.sky))
        if count == 0 and layout.flow == "files":
            for number, (_, bad) in enumerate(refused(pair, layout), FIRST_FRAME + 1):
                _write_frame(root, f"{place}/{number:06d}", bad, layout, "npz")
                clip = clip.model_copy(update={"frames": (*clip.frames, number)})
        clips[split].append(clip)
        count += 1
    for split, listed in clips.items():
        if listed:
            _example.write_file(root, json_list(Path(), split).as_posix(), encode_clips(listed))
    _example.write_marker(root, recipe, count)


def _write_frame(root: Path, frame: str, pair: Pair, layout: StereoLayout, ending: str) -> None:
    tails = ("_left", "_right") if layout.packing == "separate" else ("",)
    for tail, data in zip(tails, encoded_pictures(pair, layout, images.encode_png), strict=True):
        _example.write_file(root, f"frames/{frame}{tail}.png", data)
    if layout.flow == "files":
        for folder, flow in (("flow_fw", pair.forward), ("flow_bw", pair.backward)):
            _example.write_file(root, f"{folder}/{frame}.{ending}", FLOW_ENCODERS[ending](flow))
