"""Example trees of 3D Movies: the official maps for most frames, flow for some, and three frames to refuse."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path

from dpt_bench.core.recipe import Recipe
from dpt_bench.formats import images
from dpt_bench.readers import _example
from dpt_bench.readers._movies_layout import LISTS, Layout
from dpt_bench.readers._stereo_example import FLOW_ENCODERS, Pair, encode_sky, encoded_pictures, refused
from dpt_bench.scenes.scene import Scene
from dpt_bench.stereo import left_right_difference, png_maps

TRAIN_FILMS = ("exodus", "hugo", "pina")
JPEG_QUALITY = 85
MAPS_PER_PICTURE = 2
"""The maps have half the film's resolution, so a scene's disparity belongs to a picture of twice its size."""


def write(root: Path, recipe: Recipe, layout: Layout, scenes: Iterable[Scene]) -> None:
    """Scenes as listed frames: every eighth for each of val and test, every eighth with flow in the place of maps."""
    lists: dict[str, list[str]] = {split: [] for split in LISTS}
    count = 0
    for scene in scenes:
        split = _split(scene)
        film = _film(split, scene.index, layout)
        frame = f"{film}/chapter{2 + scene.index % 3}/out{5 + 6 * scene.index:08d}"
        pair = Pair.of(scene)
        if layout.swapped(film):
            pair = pair.swapped()
        if layout.flow != "files":
            _write_pictures(root, frame, pair, layout)
        elif scene.index % 8 == 5 or layout.swapped(film):  # the maps belong to the eye that is stored first
            _write_pictures(root, frame, pair, layout)
            _write_flow(root, frame, pair, tuple(FLOW_ENCODERS)[scene.index // 8 % len(FLOW_ENCODERS)])
        else:
            _write_pictures(root, frame, _enlarged(pair), layout)
            _write_maps(root, frame, pair)
        if scene.index % 2 == 0:
            _example.write_file(root, f"sky/{frame}.png", encode_sky(scene.sky))
        lists[split].append(frame)
        if count == 0 and layout.flow == "files":
            for number, (_, bad) in enumerate(refused(pair, layout), 1):
                other = f"{frame[:-8]}{5 + 6 * scene.index + number:08d}"
                _write_pictures(root, other, bad, layout)
                _write_flow(root, other, bad, "flo")
                lists[split].append(other)
        count += 1
    for split, frames in lists.items():
        if frames:
            _example.write_file(root, f"lists/{LISTS[split]}", "".join(f"{frame}\n" for frame in frames).encode())
    _example.write_marker(root, recipe, count)


def _split(scene: Scene) -> str:
    return "val" if _example.validates(scene) else "test" if scene.index % 8 == 7 else "train"


def _film(split: str, index: int, layout: Layout) -> str:
    films = {"train": TRAIN_FILMS, "val": layout.val_films, "test": layout.test_films}[split]
    return films[index // 3 % len(films)]


def _enlarged(pair: Pair) -> Pair:
    first, second = (
        eye.repeat(MAPS_PER_PICTURE, axis=0).repeat(MAPS_PER_PICTURE, axis=1) for eye in (pair.first, pair.second)
    )
    return replace(pair, first=first, second=second)


def _write_pictures(root: Path, frame: str, pair: Pair, layout: Layout) -> None:
    folders = ("image_left", "image_right") if layout.packing == "separate" else (layout.picture_folder,)
    encode = partial(images.encode_jpeg, quality=JPEG_QUALITY)
    for folder, data in zip(folders, encoded_pictures(pair, layout, encode), strict=True):
        _example.write_file(root, f"{folder}/{frame}.jpg", data)


def _write_maps(root: Path, frame: str, pair: Pair) -> None:
    difference = left_right_difference(pair.forward, pair.backward)
    _example.write_file(root, f"disparity/{frame}.png", png_maps.encode_disparity(-pair.forward[..., 0]))
    _example.write_file(root, f"uncertainty/{frame}.png", png_maps.encode_uncertainty(difference))


def _write_flow(root: Path, frame: str, pair: Pair, ending: str) -> None:
    for folder, flow in (("flow_forward", pair.forward), ("flow_backward", pair.backward)):
        _example.write_file(root, f"{folder}/{frame}.{ending}", FLOW_ENCODERS[ending](flow))
