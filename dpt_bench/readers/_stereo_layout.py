"""The [layout] that the recipes of stereo films and videos have in common."""

from __future__ import annotations

from typing import Literal, cast

from pydantic import field_validator, model_validator

from dpt_bench.core.toml import Strict
from dpt_bench.stereo import Packing, Rules
from dpt_bench.stereo.packing import PACKINGS


class StereoLayout(Strict):
    """How the eyes lie on disk, where flow comes from, and which frames are refused.

    packing: "separate", one picture an eye; or how both share one picture, see `stereo.packing`.
    flow: "files" takes what lies in the tree; "dis", or "raft" with `raft_weights` (a path, relative to the recipe),
        computes it from the pictures and looks at no file.
    eye_order: "lr", the first eye is the left one; "rl", it is the right one; "label", as the clip list says.
        flipped: films or videos in which it is the other way round. No rule can notice that the eyes are swapped.
    vertical_px, vertical_fraction, range_px, consistent_px, consistent_fraction, threshold_width: see `stereo.rules`.
    video_packing: how both eyes share the frames of a video file; video_packing_exceptions: "name=packing" where it
        differs. video_crop_rows, video_crop_columns: what each eye loses, half on either side, when it is extracted.
    """

    packing: Literal["separate"] | Packing
    flow: Literal["files", "dis", "raft"]
    raft_weights: str = ""
    eye_order: Literal["lr", "rl", "label"]
    flipped: tuple[str, ...] = ()
    vertical_px: float
    vertical_fraction: float
    range_px: float
    consistent_px: float
    consistent_fraction: float
    threshold_width: float
    video_packing: Packing
    video_packing_exceptions: tuple[str, ...] = ()
    video_crop_rows: int = 0
    video_crop_columns: int = 0

    @field_validator("video_packing_exceptions")
    @classmethod
    def _entries_are_readable(cls, entries: tuple[str, ...]) -> tuple[str, ...]:
        for entry in entries:
            if entry.rpartition("=")[2] not in PACKINGS:
                raise ValueError(f'{entry!r} is not "name=packing" with one of {", ".join(PACKINGS)}')
        return entries

    @model_validator(mode="after")
    def _weights_are_given(self) -> StereoLayout:
        if self.flow == "raft" and not self.raft_weights:
            raise ValueError('flow = "raft" needs raft_weights, a file of torchvision\'s weights')
        return self

    @property
    def rules(self) -> Rules:
        return Rules(
            vertical_px=self.vertical_px,
            vertical_fraction=self.vertical_fraction,
            range_px=self.range_px,
            consistent_px=self.consistent_px,
            consistent_fraction=self.consistent_fraction,
            threshold_width=self.threshold_width,
        )

    def swapped(self, video: str, label: int = 1) -> bool:
        """Whether the first eye of a film or video is the right one."""
        by_order = label < 0 if self.eye_order == "label" else self.eye_order == "rl"
        return by_order != (video in self.flipped)

    def packing_of(self, video: str) -> Packing:
        """How the two eyes share the frames of a video file."""
        for entry in self.video_packing_exceptions:
            name, _, packing = entry.rpartition("=")
            if name == video:
                return cast(Packing, packing)
        return self.video_packing
