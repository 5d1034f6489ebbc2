"""Listed frames of 3D films -> jobs of extraction, a chapter a clip."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

from dpt_bench.core.errors import UsageError
from dpt_bench.core.recipe import Recipe
from dpt_bench.readers._movies_layout import LISTS, Layout, list_file
from dpt_bench.readers._stereo_clips import ClipPlan, check_separate, videos_below
from dpt_bench.stereo.clip_folder import ClipJob
from dpt_bench.stereo.video import chapters_s

LINE = re.compile(r"([^/]+)/(chapter(\d+))/out(\d+)")
FIRST_NUMBER = 1
"""ffmpeg, by which the lists were made, counts its pictures from 1."""


def plan(root: Path, recipe: Recipe, layout: Layout) -> ClipPlan:
    """One job a chapter of which the lists name frames: frame out00000005 is the fifth of its chapter.

    A chapter begins where image_meta/<film>/timingChapters.txt says, else where the film's own chapter marks do.

    Raises:
        UsageError: the tree has no list, or the layout does not read one picture an eye.
    """
    check_separate(layout, recipe)
    listed = _listed(root)
    if not listed:
        names = ", ".join(f"lists/{name}" for name in LISTS.values())
        raise UsageError(
            "there is no list of frames to extract", where=root, fix=f"put {names} there, of {recipe.homepage}"
        )
    videos = videos_below(root)
    jobs, absent = [], {}
    starts: dict[str, list[float]] = {}
    for (film, chapter), numbers in sorted(listed.items()):
        scene = f"{film}/chapter{chapter}"
        if film not in videos:
            absent[scene] = f"videos/{film}.mkv was not found"
            continue
        if film not in starts:
            starts[film] = chapter_starts(root, film, videos[film])
        if not 1 <= chapter <= len(starts[film]):
            absent[scene] = f"the film has {len(starts[film])} chapters"
            continue
        jobs.append(_job(videos[film], scene, numbers, starts[film][chapter - 1], layout))
    return ClipPlan(tuple(jobs), absent)


def chapter_starts(root: Path, film: str, video: Path) -> list[float]:
    """When the chapters of a film begin, in seconds; chapter 1 is the first.

    Raises:
        UsageError: the file of times is unreadable, or PyAV is not installed.
        FormatError: the video is damaged.
    """
    path = root / "image_meta" / film / "timingChapters.txt"
    if not path.is_file():
        return chapters_s(video)
    try:
        return [float(line.split(",")[0]) for line in path.read_text().splitlines() if line.strip()]
    except ValueError as error:
        raise UsageError(f"the times of the chapters cannot be read: {error}", where=path) from error


def _job(video: Path, scene: str, numbers: list[int], start_s: float, layout: Layout) -> ClipJob:
    return ClipJob(
        video=video,
        frames=tuple(sorted(number - FIRST_NUMBER for number in numbers)),
        packing=layout.packing_of(scene.split("/")[0]),
        folders=(f"image_left/{scene}", f"image_right/{scene}"),
        names=("out{number:08d}.jpg", "out{number:08d}.jpg"),
        first_number=FIRST_NUMBER,
        start_s=start_s,
        crop=(layout.video_crop_rows, layout.video_crop_columns),
    )


def _listed(root: Path) -> dict[tuple[str, int], list[int]]:
    frames = defaultdict(list)
    for split in LISTS:
        path = list_file(root, split)
        for line in [] if path is None else path.read_text(encoding="utf-8", errors="replace").splitlines():
            match = LINE.fullmatch(line.strip())
            if match is not None and int(match[4]) >= FIRST_NUMBER:
                frames[match[1], int(match[3])].append(int(match[4]))
    return frames
