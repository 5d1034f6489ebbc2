"""3D Movies: frames of stereo films with the maps of 3DVideos2Stereo, or with flow, or with both eyes alone.

Below any folder, with the same <film>/chapter<k>/<frame> in each of

    image_left/*.jpg  image_right/*.jpg             the eyes; or both in one picture below image/
    disparity/*.png  uncertainty/*.png              the maps, at half the film's resolution
    flow_forward/*.flo  flow_backward/*.flo         flow (or .npy, .npz), where there are no maps
    sky/*.png                                       above 0 where the sample shows sky (optional)
    lists/{train,validation,test}.txt               the official lists; without them films make the splits
    videos/<film>.mkv                               what `dpt-bench extract-clips movies` takes the listed frames from
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from dpt_bench.core.recipe import Recipe
from dpt_bench.core.sample import Sample
from dpt_bench.core.toml import check
from dpt_bench.readers import _movies_clips, _movies_example
from dpt_bench.readers._contract import Row
from dpt_bench.readers._movies_layout import Layout, listed_frames
from dpt_bench.readers._stereo import Frame, read_frame
from dpt_bench.readers._stereo_clips import ClipPlan
from dpt_bench.readers._tree import (
    check_tree,
    count,
    empty_split,
    files_below,
    item_table,
    legal_key,
    remarks,
    wrong_tree,
)
from dpt_bench.scenes.scene import Scene

PICTURES, FLOWS, MAPS = ("jpg", "jpeg", "png"), ("flo", "npy", "npz"), ("png",)
FOLDERS = {
    "image": ("first", PICTURES),
    "image_left": ("first", PICTURES),
    "image_right": ("second", PICTURES),
    "flow_forward": ("forward", FLOWS),
    "flow_backward": ("backward", FLOWS),
    "disparity": ("disparity", MAPS),
    "uncertainty": ("uncertainty", MAPS),
    "sky": ("sky", MAPS),
}
"""Folder -> role in a frame, endings."""
TARGETS = {"disparity", "forward"}
FILE = re.compile(rf"(?:.*/)?({'|'.join(FOLDERS)})/(([^/]+)/chapter\d+)/([^/]+)\.([^./]+)")


@dataclass
class _Item:
    scene: str
    stem: str
    roles: dict[str, str] = field(default_factory=dict)

    def files(self, *, pictures: str, swapped: bool) -> list[str]:
        """Paths, the left eye's picture first; the one that was expected where it is missing."""
        first = "second" if swapped and "second" in self.roles else "first"
        picture = self.roles.get(first, f"{pictures}/{self.scene}/{self.stem}.jpg")
        return [picture, *(path for role, path in sorted(self.roles.items()) if role != first)]


class Reader:
    """The tree that the module's docstring draws."""

    EXAMPLE_IS_STEREO = True  # `write_example` reads the right eye of each scene

    def list(self, root: Path, recipe: Recipe, split: str) -> pa.Table:
        """One row a listed frame of which anything is there; without a list, one row a frame that has a target.

        Films are extracted at 24 frames a second, of which the lists take four or one: the rest are no items.
        """
        check_tree(root, recipe, split)
        layout = check(recipe.layout, Layout, where=recipe.path)
        listed = listed_frames(root, split)
        items, roles = _search(root, layout, split, listed)
        if "first" not in roles or (layout.flow == "files" and roles.isdisjoint(TARGETS)):
            raise wrong_tree(root, recipe, layout.looked_for)
        told: dict[str, str] = {}
        if listed is not None:
            told = {"listed": str(len(listed)), "missing": str(len(listed) - len(items))}
            told |= remarks(count(len(listed) - len(items), f"of {len(listed):,} listed frames not found"))
        else:
            wanted, what = (TARGETS, "a map or flow") if layout.flow == "files" else ({"first"}, "a picture")
            every, items = items, {key: item for key, item in items.items() if not wanted.isdisjoint(item.roles)}
            told = remarks(count(len(every) - len(items), f"frames without {what}"))
        if not items:
            raise empty_split(root, recipe, split)
        swapped = [layout.swapped(item.scene.split("/")[0]) for item in items.values()]
        files = [
            item.files(pictures=layout.picture_folder, swapped=turned)
            for item, turned in zip(items.values(), swapped, strict=True)
        ]
        scenes = [legal_key(item.scene) for item in items.values()]
        return item_table(list(items), scenes, files, {"swapped": swapped}, told)

    def read(self, root: Path, recipe: Recipe, row: Row) -> Sample:
        """Decode one frame; see `_stereo.read_frame`."""
        layout = check(recipe.layout, Layout, where=recipe.path)
        matches = [FILE.fullmatch(path) for path in row["files"]]
        return read_frame(root, recipe, row, layout, Frame(**{FOLDERS[m[1]][0]: m[0] for m in matches if m}))

    def write_example(self, root: Path, recipe: Recipe, scenes: Iterable[Scene]) -> None:
        """Frames with maps, some with flow, and three that the rules must refuse; see `_movies_example`."""
        _movies_example.write(root, recipe, check(recipe.layout, Layout, where=recipe.path), scenes)

    def clips(self, root: Path, recipe: Recipe) -> ClipPlan:
        """What there is to extract from the films below videos/; see `_movies_clips`."""
        return _movies_clips.plan(root, recipe, check(recipe.layout, Layout, where=recipe.path))


def _search(root: Path, layout: Layout, split: str, listed: frozenset[str] | None) -> tuple[dict[str, _Item], set[str]]:
    """Items of the split by key, and all roles that occur in the tree."""
    items: dict[str, _Item] = {}
    roles: set[str] = set()
    ignored = layout.ignored_folders
    for path in files_below(root):
        match = FILE.fullmatch(path)
        if match is None or match[1] in ignored:
            continue
        role, endings = FOLDERS[match[1]]
        if match[5].lower() not in endings:
            continue
        roles.add(role)
        key = legal_key(f"{match[2]}/{match[4]}")
        if key in listed if listed is not None else layout.split_of(match[3]) == split:
            paths = items.setdefault(key, _Item(match[2], match[4])).roles
            paths[role] = min(path, paths.get(role, path))
    return items, roles
