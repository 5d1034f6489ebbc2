"""One frame of a stereo film or video -> sample: what the readers of Movies and WSVD share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dpt_bench.core.errors import SampleError
from dpt_bench.core.recipe import Recipe
from dpt_bench.core.sample import Sample
from dpt_bench.core.toml import Strict
from dpt_bench.formats import images
from dpt_bench.readers._contract import Row
from dpt_bench.readers._targets import SAME_ASPECT, depth_map, fit_nearest
from dpt_bench.readers._tree import read_decoded
from dpt_bench.resize import resize_image
from dpt_bench.stereo import Packing, Rules, compute_flow, decode_flow, png_maps, split_eyes, to_disparity
from dpt_bench.stereo.rules import Flow, check_consistency, check_range

Picture = NDArray[np.uint8]
Target = tuple[NDArray[np.float32], NDArray[np.bool_]]


class StereoLayout(Strict):
    """What the recipes of stereo sets have in common.

    packing: "separate", one picture an eye; or how both share one picture, see `stereo.packing`.
    flow: "files" as they lie in the tree; "dis", or "raft" with `raft_weights` (a path from the recipe), computes it.
    eye_order: "lr", the first eye is the left one; "rl", it is not; "label", as the clip list says. flipped: films or
        videos in which it is the other way round.
    vertical_px ... threshold_width: see `stereo.rules`.
    video_packing, video_crop: of the videos that frames are extracted from; crop is [rows, columns] that an eye loses.
    video_packing_exceptions: "name=packing" where it differs.
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

    @property
    def rules(self) -> Rules:
        return Rules(
            self.vertical_px,
            self.vertical_fraction,
            self.range_px,
            self.consistent_px,
            self.consistent_fraction,
            self.threshold_width,
        )

    def swapped(self, video: str, label: int = 1) -> bool:
        """Whether the first eye of a film or video is the right one."""
        by_order = label < 0 if self.eye_order == "label" else self.eye_order == "rl"
        return by_order != (video in self.flipped)

    def packing_of(self, video: str) -> Packing:
        """How the two eyes share the frames of a video file."""
        exceptions: dict[str, Packing] = {
            name: packing
            for entry in self.video_packing_exceptions
            for name, _, packing in [entry.rpartition("=")]
            if packing in PACKINGS
        }
        return exceptions.get(video, self.video_packing)
