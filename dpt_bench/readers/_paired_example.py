"""Example trees of `paired_files`: scenes under the patterns, in the format and with the sensor of the recipe."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import cycle
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dpt_bench.core.kinds import DepthKind
from dpt_bench.core.recipe import Recipe
from dpt_bench.formats import exr, images, npy, pfm
from dpt_bench.readers import _example
from dpt_bench.readers._paired_layout import Layout, fill
from dpt_bench.scenes.scene import Scene
from dpt_bench.scenes.sensors import sfm_holes, structured_light_holes

Holes = Callable[[Scene, np.random.Generator], NDArray[np.bool_]]
SENSORS: dict[str, Holes] = {
    "perfect": lambda scene, _rng: np.ones(scene.sky.shape, np.bool_),
    "structured_light": lambda scene, rng: structured_light_holes(scene.depth_m, scene.labels, rng),
    "structure_from_motion": sfm_holes,
    "stereo": lambda scene, _rng: seen_by_both_eyes(scene),
}
LARGEST_CODE = {"png8": 255, "png16": 65535}


def write(root: Path, recipe: Recipe, layout: Layout, scenes: Iterable[Scene]) -> None:
    """Write every scene as image, target and, where the layout has masks, one mask."""
    places = _places(layout)
    folder = root / layout.example_folder
    count = 0
    for scene in scenes:
        names = next(places[_example.validates(scene)]) | {"stem": f"{scene.index + 1:06d}"}
        seen = SENSORS[layout.sensor](scene, _example.defects(recipe, scene))
        stored = stored_numbers(scene, recipe, layout)
        if layout.masks:
            mask = np.where(seen, 255, 0).astype(np.uint8)
            _example.write_file(folder, fill(layout.masks[0], names), images.encode_png(mask))
        elif recipe.target.invalid:
            stored[~seen] = recipe.target.invalid[0]
        image = fill(layout.image, names)
        encode = images.encode_png if image.endswith(".png") else images.encode_jpeg
        _example.write_file(folder, image, encode(scene.image))
        _example.write_file(folder, fill(layout.target, names), _encode(stored, recipe.target.format, layout))
        count += 1
    _example.write_marker(root, recipe, count)


def stored_numbers(scene: Scene, recipe: Recipe, layout: Layout) -> NDArray[np.float64]:
    """The scene's target as the dataset stores it, float64 (H, W), rounded where the file holds codes."""
    facts = recipe.target
    assert isinstance(facts.kind, DepthKind), "labels are no depth"
    camera = scene.camera
    disparity_px = camera.fx * (camera.baseline_m or 1.0) / scene.depth_m.astype(np.float64)
    if facts.kind.is_affine:
        stored = _spread_over_codes(disparity_px, scene.sky, recipe, layout)
    else:
        value = disparity_px if facts.kind.is_disparity else np.where(scene.sky, 0, scene.depth_m)
        stored = (value - layout.offset) / facts.scale
    if facts.format in LARGEST_CODE:
        stored = np.clip(np.round(stored), 0, LARGEST_CODE[facts.format])
    if layout.sky is not None:
        stored[scene.sky] = layout.sky
    return stored


def seen_by_both_eyes(scene: Scene) -> NDArray[np.bool_]:
    """Pixels of the left eye that the right one sees: no nearer surface lands on the same column there."""
    width = scene.depth_m.shape[1]
    camera = scene.camera
    disparity = camera.fx * (camera.baseline_m or 0.0) / scene.depth_m
    landing = np.arange(width) - disparity
    from_right = np.minimum.accumulate(landing[:, ::-1], axis=1)[:, ::-1]
    return (landing <= from_right + 0.5) & (landing >= 0)


def _spread_over_codes(
    disparity: NDArray[np.float64], sky: NDArray[np.bool_], recipe: Recipe, layout: Layout
) -> NDArray[np.float64]:
    """Relative depth of unknown scale and shift fills the codes that mean something, as web stereo sets do."""
    reserved = {layout.sky, *recipe.target.invalid}
    codes = [code for code in range(256) if code not in reserved]
    facing = disparity[~sky]
    low, high = (facing.min(), facing.max()) if facing.size else (0.0, 1.0)
    share = np.clip((disparity - low) / max(high - low, 1e-12), 0, 1)
    nearest_first = recipe.target.scale < 0
    first, last = (codes[-1], codes[0]) if nearest_first else (codes[0], codes[-1])
    return first + share * (last - first)


def _places(layout: Layout) -> dict[bool, Iterator[dict[str, str]]]:
    """For training and for validating scenes, endlessly: values of the {names} but {stem}."""
    scenes: list[dict[str, str]] = [{}]
    if layout.scene_names:
        scenes = [dict(zip(layout.scene_names, scene.split("/"), strict=True)) for scene in layout.example_scenes]
    held_out = [scene for scene in scenes if not set(layout.val_scenes).isdisjoint(scene.values())]
    trained = [scene for scene in scenes if scene not in held_out]
    return {
        True: cycle(_in_split("val", held_out or trained, layout)),
        False: cycle(_in_split("train", trained, layout)),
    }


def _in_split(split: str, scenes: Sequence[dict[str, str]], layout: Layout) -> list[dict[str, str]]:
    return [scene | {"split": split} if "split" in layout.names else scene for scene in scenes]


def _encode(stored: NDArray[np.float64], target_format: str, layout: Layout) -> bytes:
    if target_format == "png8":
        return images.encode_png(stored.astype(np.uint8))
    if target_format == "png16":
        return images.encode_png(stored.astype(np.uint16))
    single = stored.astype(np.float32)
    if target_format == "exr":
        return exr.encode(single, layout.channel or "Z")
    return pfm.encode(single) if target_format == "pfm" else npy.encode(single)
