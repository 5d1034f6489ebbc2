"""WSVD's lists of clips, and the jobs that extract their frames."""

from __future__ import annotations

from pathlib import Path

from dpt_bench.core.errors import FormatError, UsageError
from dpt_bench.core.recipe import Recipe
from dpt_bench.readers._stereo_clips import ClipPlan, check_separate, videos_below
from dpt_bench.readers._stereo_layout import StereoLayout
from dpt_bench.stereo.clip_folder import ClipJob
from dpt_bench.stereo.clips import Clip, decode_clip_pickle, decode_clips, encode_clips

FOLDERS_OF_SPLITS = {"train": "train", "val": "test"}
"""Split -> the folder and list it comes from: the official test videos serve as validation."""


def plan(root: Path, recipe: Recipe, layout: StereoLayout) -> ClipPlan:
    """One job a listed clip; published pickles are first written beside themselves as JSON lines.

    Raises:
        UsageError: there are no lists, or the layout does not read one picture an eye.
    """
    check_separate(layout, recipe)
    videos = videos_below(root)
    jobs, absent = [], {}
    for split, folder in FOLDERS_OF_SPLITS.items():
        clips = read_clips(root, split)
        if clips and not json_list(root, split).is_file():
            json_list(root, split).write_bytes(encode_clips(clips))
        for clip in clips:
            if clip.video in videos:
                jobs.append(_job(videos[clip.video], folder, clip, layout))
            else:
                absent[f"{folder}/{clip.name}"] = f"videos/{clip.video}.mp4 was not found"
    if not jobs and not absent:
        raise UsageError(
            "there is no list of clips to extract",
            where=root,
            fix=f"put lists/train.jsonl or {pickled_list(root, 'train').name} there, of {recipe.homepage}",
        )
    return ClipPlan(tuple(jobs), absent)


def json_list(root: Path, split: str) -> Path:
    return root / "lists" / f"{FOLDERS_OF_SPLITS[split]}.jsonl"


def pickled_list(root: Path, split: str) -> Path:
    return root / "lists" / f"wsvd_{FOLDERS_OF_SPLITS[split]}_clip_frame_ids.pkl"


def read_clips(root: Path, split: str) -> list[Clip]:
    """The clips of a split by its JSON lines, or by the published pickle, or none.

    Raises:
        UsageError: the list is damaged.
    """
    for path, decode in ((json_list(root, split), decode_clips), (pickled_list(root, split), decode_clip_pickle)):
        if path.is_file():
            try:
                return decode(path.read_bytes())
            except FormatError as error:
                raise UsageError(f"the list of clips cannot be read: {error.what}", where=path) from error
    return []


def _job(video: Path, folder: str, clip: Clip, layout: StereoLayout) -> ClipJob:
    place = f"frames/{folder}/{clip.name}"
    return ClipJob(
        video=video,
        frames=tuple(sorted(set(clip.frames))),
        packing=layout.packing_of(clip.video),
        folders=(place, place),
        names=("{number:06d}_left.png", "{number:06d}_right.png"),
        crop=(layout.video_crop_rows, layout.video_crop_columns),
    )
