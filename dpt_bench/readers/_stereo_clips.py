"""What there is to extract from the videos of a tree."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dpt_bench.core.errors import UsageError
from dpt_bench.core.recipe import Recipe
from dpt_bench.readers._stereo_layout import StereoLayout
from dpt_bench.stereo.clip_folder import ClipJob
from dpt_bench.stereo.clips import FORMAT_SUFFIX

VIDEO_ENDINGS = (".mkv", ".mp4", ".webm", ".mov", ".avi", ".m4v")


@dataclass(frozen=True)
class ClipPlan:
    """jobs: one a clip whose video is there. absent: clip -> why there is no job for it."""

    jobs: tuple[ClipJob, ...]
    absent: dict[str, str]


def videos_below(root: Path) -> dict[str, Path]:
    """Name -> file of the videos in videos/; youtube-dl's `.f134` behind a name is dropped."""
    found: dict[str, Path] = {}
    for path in sorted((root / "videos").glob("*")):
        if path.suffix.lower() in VIDEO_ENDINGS:
            found.setdefault(FORMAT_SUFFIX.sub("", path.stem), path)
    return found


def check_separate(layout: StereoLayout, recipe: Recipe) -> None:
    """Pass where the reader will find what is extracted: one picture an eye.

    Raises:
        UsageError: the layout says that both eyes share a picture.
    """
    if layout.packing != "separate":
        raise UsageError(
            f"frames are extracted as one picture an eye, but {recipe.name} is to be read as {layout.packing}",
            where=recipe.path,
            fix='set packing = "separate" in its [layout]; video_packing says how the video holds both eyes',
        )
