"""Two eyes to disparity: flow, left-right consistency, the published rejection rules, and frames of stereo videos."""

from dpt_bench.stereo.clip_folder import ClipJob
from dpt_bench.stereo.clips import Clip
from dpt_bench.stereo.disparity import left_right_difference, to_disparity
from dpt_bench.stereo.extract import ClipReport, extract_clips
from dpt_bench.stereo.flow import compute_flow, decode_flow
from dpt_bench.stereo.packing import Packing, join_eyes, split_eyes
from dpt_bench.stereo.rules import Rules, check_flow

__all__ = [
    "Clip",
    "ClipJob",
    "ClipReport",
    "Packing",
    "Rules",
    "check_flow",
    "compute_flow",
    "decode_flow",
    "extract_clips",
    "join_eyes",
    "left_right_difference",
    "split_eyes",
    "to_disparity",
]
