"""Example trees of `paired_files`: scenes under the patterns, in the format and with the sensor of the recipe."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import count
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dpt_bench.core.errors import UsageError
from dpt_bench.core.kinds import DepthKind
from dpt_bench.core.recipe import Recipe
from dpt_bench.formats import exr, images, npy, pfm, raw_float32, sintel_dpt
from dpt_bench.readers import _example
from dpt_bench.readers._paired_layout import Layout, compile_pattern, fill
from dpt_bench.readers._paired_search import listed_numbers
from dpt_bench.scenes.labels import THIN_OR_MOVING
from dpt_bench.scenes.scene import Scene
from dpt_bench.scenes.sensors import sfm_holes, structured_light_holes

Mask = NDArray[np.bool_]
Numbers = NDArray[np.float64]

SENSORS: dict[str, Callable[[Scene, np.random.Generator], Mask]] = {
    "perfect": lambda scene, _rng: np.ones(scene.sky.shape, np.bool_),
    "structured_light": lambda scene, rng: structured_light_holes(scene.depth_m, scene.labels, rng),
    "structure_from_motion": sfm_holes,
    "stereo": lambda scene, _rng: seen_by_both_eyes(scene),
}
LARGEST_CODE = {"png8": 255, "png16": 65535}
FILM_SKY_M = 10000.0
"""What stands at the sky of formats that have no other way to say so: as Sintel's, a distance beyond every object."""


def write(root: Path, recipe: Recipe, layout: Layout, scenes: Iterable[Scene]) -> None:
    """Write every scene as image, target and masks; then what the recipe knows to be bad."""
    folder = root / layout.example_folder
    names = {split: _names(recipe, layout, split) for split in recipe.splits}
    written = 0
    for scene in scenes:
        seen = SENSORS[layout.sensor](scene, _example.defects(recipe, scene))
        for split in _splits_of(scene, recipe, layout):
            _write_item(folder, recipe, layout, next(names[split]), (scene, seen))
        if written == 0:
            _write_defects(folder, recipe, layout, names[next(iter(names))], (scene, seen))
        written += 1
    _example.write_marker(root, recipe, written)


def stored_numbers(scene: Scene, recipe: Recipe, layout: Layout) -> Numbers:
    """The scene's target as the dataset stores it, float64 (H, W), rounded where the file holds codes."""
    facts = recipe.target
    assert isinstance(facts.kind, DepthKind), "labels are no depth"
    if facts.kind.is_affine:
        stored = _spread_over_codes(1 / scene.depth_m.astype(np.float64), scene.sky, recipe, layout)
    else:
        stored = (_values(scene, facts.kind, recipe) - layout.offset) / facts.scale
    if facts.format in LARGEST_CODE:
        stored = np.clip(np.round(stored), 0, LARGEST_CODE[facts.format])
    if layout.sky is not None:
        stored[scene.sky] = layout.sky
    return stored


def seen_by_both_eyes(scene: Scene) -> Mask:
    """Pixels of the left eye that the right one sees: no nearer surface lands on the same column there."""
    width = scene.depth_m.shape[1]
    camera = scene.camera
    disparity = camera.fx * (camera.baseline_m or 0.0) / scene.depth_m
    landing = np.arange(width) - disparity
    from_right = np.minimum.accumulate(landing[:, ::-1], axis=1)[:, ::-1]
    return (landing <= from_right + 0.5) & (landing >= 0)


def _write_item(
    folder: Path, recipe: Recipe, layout: Layout, names: Mapping[str, str], seen_scene: tuple[Scene, Mask]
) -> None:
    scene, seen = seen_scene
    stored = stored_numbers(scene, recipe, layout)
    if recipe.target.invalid:
        stored[~seen] = recipe.target.invalid[0]
    moving = np.isin(scene.labels, THIN_OR_MOVING)
    parts = [seen & moving, seen & ~moving] if len(layout.masks) > 1 else [seen]
    for pattern, part in zip(layout.masks, parts, strict=False):
        codes = np.where(part, layout.example_mask, 0)
        mask = codes.astype(np.uint8) if layout.example_mask <= LARGEST_CODE["png8"] else codes.astype(np.uint16)
        _example.write_file(folder, fill(pattern, names), images.encode_png(mask))
    _write_image(folder, fill(layout.image, names), scene)
    _example.write_file(folder, fill(layout.target, names), _encode(stored, recipe.target.format, layout))


def _write_defects(
    folder: Path, recipe: Recipe, layout: Layout, names: Iterator[dict[str, str]], seen_scene: tuple[Scene, Mask]
) -> None:
    """What the recipe knows to be bad: images listed as such, twins that are no images, an empty target."""
    scene, seen = seen_scene
    for path in layout.known_bad:
        match = compile_pattern(layout.image).fullmatch(path)
        assert match is not None, f"known_bad {path!r} is no image of the layout"
        _write_item(folder, recipe, layout, match.groupdict(), seen_scene)
    if layout.min_valid_fraction:
        empty = next(names)
        _write_item(folder, recipe, layout, empty, (scene, np.zeros_like(seen)))
        for tail in layout.exclude:
            _write_image(folder, fill(layout.image, empty).rpartition(".")[0] + tail, scene)


def _write_image(folder: Path, path: str, scene: Scene) -> None:
    encode = images.encode_png if path.endswith(".png") else images.encode_jpeg
    _example.write_file(folder, path, encode(scene.image))


def _values(scene: Scene, kind: DepthKind, recipe: Recipe) -> Numbers:
    depth = scene.depth_m.astype(np.float64)
    if kind is DepthKind.METRIC_DISPARITY:
        return 1 / depth
    if kind.is_disparity:
        return scene.camera.fx * (scene.camera.baseline_m or 1.0) / depth
    at_sky = 0.0 if recipe.target.invalid else FILM_SKY_M
    return np.where(scene.sky, at_sky, depth)


def _spread_over_codes(disparity: Numbers, sky: Mask, recipe: Recipe, layout: Layout) -> Numbers:
    """Relative depth of unknown scale and shift fills the codes that mean something, as web stereo sets do."""
    reserved = {layout.sky, *recipe.target.invalid}
    codes = [code for code in range(256) if code not in reserved]
    facing = disparity[~sky]
    low, high = (facing.min(), facing.max()) if facing.size else (0.0, 1.0)
    share = np.clip((disparity - low) / max(high - low, 1e-12), 0, 1)
    first, last = (codes[-1], codes[0]) if recipe.target.scale < 0 else (codes[0], codes[-1])
    return first + share * (last - first)


def _splits_of(scene: Scene, recipe: Recipe, layout: Layout) -> list[str]:
    """The splits that a scene is written for: train or val; every pass of a film; else the first, for all are alike."""
    if "val" in recipe.splits and layout.val_fraction is None:
        return ["val" if _example.validates(scene) else "train"]
    return list(recipe.splits) if "split" in layout.names else list(recipe.splits)[:1]


def _names(recipe: Recipe, layout: Layout, split: str) -> Iterator[dict[str, str]]:
    """Values of the {names} for a split's images, scene after scene; no number that a list gives to another split."""
    listed = listed_numbers(recipe, split)
    taken = [listed_numbers(recipe, other) for other in recipe.splits if other != split and not listed]
    scenes = _scenes(layout, split)
    numbers = {scene: _numbers(listed.get(scene), [other.get(scene, set()) for other in taken]) for scene in scenes}
    while numbers:
        for scene in scenes:
            number = next(numbers.get(scene, iter(())), None)
            if number is None:
                numbers.pop(scene, None)
                continue
            names = dict(zip(layout.scene_names, scene.split("/"), strict=False))
            yield {**names, "split": split, "stem": f"{number:0{layout.example_digits}d}"}
    raise UsageError(f"the example scenes of {recipe.name} have no more listed images", fix="ask for fewer scenes")


def _scenes(layout: Layout, split: str) -> list[str]:
    scenes = list(layout.example_scenes) or [""]
    held_out = [scene for scene in scenes if not set(layout.val_scenes).isdisjoint(scene.split("/"))]
    trained = [scene for scene in scenes if scene not in held_out]
    return held_out if held_out and split == "val" else trained


def _numbers(listed: set[int] | None, taken: list[set[int]]) -> Iterator[int]:
    if listed:
        return iter(sorted(listed))
    return (number for number in count(1) if not any(number in other for other in taken))


def _encode(stored: Numbers, target_format: str, layout: Layout) -> bytes:
    if target_format == "png8":
        return images.encode_png(stored.astype(np.uint8))
    if target_format == "png16":
        return images.encode_png(stored.astype(np.uint16))
    encoders: dict[str, Callable[[NDArray[np.float32]], bytes]] = {
        "exr": lambda array: exr.encode(array, layout.channel or "Z"),
        "pfm": pfm.encode,
        "npy": npy.encode,
        "sintel_dpt": sintel_dpt.encode,
        "raw_float32": raw_float32.encode,
    }
    return encoders[target_format](stored.astype(np.float32))
