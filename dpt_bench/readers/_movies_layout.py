"""The [layout] of 3D Movies, and the official lists of frames."""

from __future__ import annotations

from pathlib import Path

from dpt_bench.readers._stereo_layout import StereoLayout
from dpt_bench.readers._tree import legal_key

LISTS = {"train": "train.txt", "val": "validation.txt", "test": "test.txt"}
"""Split -> the official list's name."""


class Layout(StereoLayout):
    """val_films, test_films: where there are no lists, the films of these splits; all others are for training."""

    val_films: tuple[str, ...]
    test_films: tuple[str, ...]

    def split_of(self, film: str) -> str:
        return "val" if film in self.val_films else "test" if film in self.test_films else "train"

    @property
    def picture_folder(self) -> str:
        """Where the left eye, or the picture of both, lies."""
        return "image_left" if self.packing == "separate" else "image"

    @property
    def ignored_folders(self) -> set[str]:
        return {"image"} if self.packing == "separate" else {"image_left", "image_right"}

    @property
    def looked_for(self) -> list[str]:
        """What a tree must hold, for people to read."""
        picture = f"{self.picture_folder}/<film>/chapter<k>/<frame>.jpg"
        return [picture, "disparity/... or flow_forward/..."] if self.flow == "files" else [picture]


def list_file(root: Path, split: str) -> Path | None:
    """The list of a split, in the root or one folder below."""
    return next((path for place in (".", "*") for path in sorted(root.glob(f"{place}/lists/{LISTS[split]}"))), None)


def listed_frames(root: Path, split: str) -> frozenset[str] | None:
    """Keys of the frames that the official list of the split names, None where the tree has no such list."""
    path = list_file(root, split)
    if path is None:
        return None
    lines = (line.strip() for line in path.read_text(encoding="utf-8", errors="replace").splitlines())
    return frozenset(legal_key(line) for line in lines if line)
