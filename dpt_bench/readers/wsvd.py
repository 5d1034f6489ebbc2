"""WSVD: frames of stereo videos of the web, with flow between the eyes that the user has computed.

Below any folder:

    frames/{train,test}/<video>_<clip>/<frame>_{left,right}.png     the eyes; or both in one <frame>.png
    flow_fw/{train,test}/<video>_<clip>/<frame>.flo                 left to right (or .npy, .npz)
    flow_bw/{train,test}/<video>_<clip>/<frame>.flo                 right to left
    sky/{train,test}/<video>_<clip>/<frame>.png                     above 0 where the sample shows sky (optional)
    lists/{train,test}.jsonl                                        clips and their labels; or the published pickles
    videos/<video>.mp4                                              what `dpt-bench extract-clips wsvd` reads
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path

import pyarrow as pa

from dpt_bench.core.recipe import Recipe
from dpt_bench.core.sample import Sample
from dpt_bench.core.toml import check
from dpt_bench.readers import _wsvd_clips, _wsvd_example
from dpt_bench.readers._contract import Row
from dpt_bench.readers._stereo import Frame, read_frame
from dpt_bench.readers._stereo_clips import ClipPlan
from dpt_bench.readers._stereo_layout import StereoLayout
from dpt_bench.readers._tree import check_tree, count, empty_split, files_below, item_table, remarks, wrong_tree
from dpt_bench.readers._wsvd_clips import FOLDERS_OF_SPLITS, read_clips
from dpt_bench.scenes.scene import Scene

PICTURES, FLOWS = ("jpg", "jpeg", "png"), ("flo", "npy", "npz")
ENDINGS = {"frames": PICTURES, "flow_fw": FLOWS, "flow_bw": FLOWS, "sky": ("png",)}
ROLES = {"flow_fw": "forward", "flow_bw": "backward", "sky": "sky"}
FOLDER = re.compile(r"(?:.*/)?(frames|flow_fw|flow_bw|sky)/(train|test)/([\w-]+_\d+)", re.ASCII)
NAME = re.compile(r"(\d+)(?:_(left|right))?\.(\w+)", re.ASCII)

CLIPS_AT_A_TIME = 500
"""Rows of so many clips are Python objects before they are columns."""

Folders = dict[str, dict[str, tuple[str, str]]]
"""Clip -> frames, flow_fw, flow_bw or sky -> (path, names joined by "/"): millions of small strings take gigabytes."""


class Reader:
    """The tree that the module's docstring draws."""

    EXAMPLE_IS_STEREO = True  # `write_example` reads the right eye of each scene

    def list(self, root: Path, recipe: Recipe, split: str) -> pa.Table:
        """One row an extracted frame; one without flow is listed too, and rejected when it is read."""
        check_tree(root, recipe, split)
        layout = check(recipe.layout, StereoLayout, where=recipe.path)
        found = _search(root)
        clips = found[FOLDERS_OF_SPLITS[split]]
        if not any("frames" in roles for folders in found.values() for roles in folders.values()):
            raise wrong_tree(root, recipe, ["frames/{train,test}/<video>_<clip>/<frame>_{left,right}.png"])
        listed = read_clips(root, split)
        labels = {clip.name: clip.label for clip in listed}
        swapped = {name: layout.swapped(name.rpartition("_")[0], labels.get(name, 1)) for name in sorted(clips)}
        names = list(swapped)
        tables = [
            _table({name: clips[name] for name in names[start : start + CLIPS_AT_A_TIME]}, swapped)
            for start in range(0, len(names), CLIPS_AT_A_TIME)
        ]
        blind = sum(without for _, without in tables)
        table = pa.concat_tables([part for part, _ in tables]).sort_by("key") if tables else None
        if table is None or table.num_rows == 0:
            raise empty_split(root, recipe, split)
        wanted = sum(len(set(clip.frames)) for clip in listed)
        told = {"listed": str(wanted), "extracted": str(table.num_rows)} | remarks(
            count(max(0, wanted - table.num_rows), f"of {wanted:,} listed frames not extracted"),
            count(blind, "frames with flow and without a picture"),
        )
        return table.replace_schema_metadata(told)

    def read(self, root: Path, recipe: Recipe, row: Row) -> Sample:
        """Decode one frame; see `_stereo.read_frame`."""
        layout = check(recipe.layout, StereoLayout, where=recipe.path)
        roles: dict[str, str] = {}
        for path in row["files"]:
            folder, _, name = path.rpartition("/")
            kind, eye = FOLDER.fullmatch(folder), NAME.fullmatch(name)
            assert kind is not None, f"{path} is no path of this reader"
            assert eye is not None, f"{path} is no path of this reader"
            roles[ROLES.get(kind[1], "second" if eye[2] == "right" else "first")] = path
        return read_frame(root, recipe, row, layout, Frame(**roles))

    def write_example(self, root: Path, recipe: Recipe, scenes: Iterable[Scene]) -> None:
        """Frames and flow, a clip with the eyes swapped, and three frames that the rules must refuse."""
        _wsvd_example.write(root, recipe, check(recipe.layout, StereoLayout, where=recipe.path), scenes)

    def clips(self, root: Path, recipe: Recipe) -> ClipPlan:
        """What there is to extract from the videos below videos/; see `_wsvd_clips`."""
        return _wsvd_clips.plan(root, recipe, check(recipe.layout, StereoLayout, where=recipe.path))


def _search(root: Path) -> dict[str, Folders]:
    """Train and test -> their folders. The files of one folder follow each other, so one pass will do."""
    found: dict[str, Folders] = {"train": defaultdict(dict), "test": defaultdict(dict)}
    for folder, paths in groupby(files_below(root), key=lambda path: path.rpartition("/")[0]):
        match = FOLDER.fullmatch(folder)
        if match is None:
            continue
        names = "/".join(sorted(path.rpartition("/")[2] for path in paths))
        roles = found[match[2]][match[3]]
        roles[match[1]] = min((folder, names), roles.get(match[1], (folder, names)))
    return found


def _table(clips: Folders, swapped: Mapping[str, bool]) -> tuple[pa.Table, int]:
    """The rows of some clips, and how many frames have files but no picture."""
    keys: list[str] = []
    files: list[list[str]] = []
    names: list[str] = []
    blind = 0
    for name, roles in clips.items():
        for frame, paths in _frames(roles, turned=swapped[name]):
            if not paths:
                blind += 1
                continue
            keys.append(f"{name}/{frame}")
            files.append(paths)
            names.append(name)
    columns = {"swapped": pa.array([swapped[name] for name in names], pa.bool_())}
    return item_table(keys, names, files, columns), blind


def _frames(roles: dict[str, tuple[str, str]], *, turned: bool) -> Iterator[tuple[str, list[str]]]:
    """(frame, its paths, the left eye's picture first) of one clip; no paths where there is no picture."""
    paths: dict[str, dict[str, str]] = defaultdict(dict)
    for role in ("frames", "flow_fw", "flow_bw", "sky"):
        folder, names = roles.get(role, ("", ""))
        for name in names.split("/"):
            match = NAME.fullmatch(name)
            if match is None or match[3].lower() not in ENDINGS[role]:
                continue
            eye = match[2] or "left" if role == "frames" else role
            paths[match[1]].setdefault(eye, f"{folder}/{name}")
    for frame, found in sorted(paths.items()):
        eyes = [eye for eye in (("right", "left") if turned else ("left", "right")) if eye in found]
        roles_found = [role for role in (*eyes, "flow_fw", "flow_bw", "sky") if role in found]
        yield frame, [found[role] for role in roles_found] if eyes else []
