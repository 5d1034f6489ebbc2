"""One frame of a stereo film or video -> sample: what the readers of Movies and WSVD share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dpt_bench.core.errors import SampleError
from dpt_bench.core.recipe import Recipe
from dpt_bench.core.sample import Sample
from dpt_bench.formats import images
from dpt_bench.readers._contract import Row
from dpt_bench.readers._stereo_layout import StereoLayout
from dpt_bench.readers._targets import SAME_ASPECT, depth_map, fit_nearest
from dpt_bench.readers._tree import read_decoded
from dpt_bench.resize import resize_image
from dpt_bench.stereo import compute_flow, decode_flow, png_maps, split_eyes, to_disparity
from dpt_bench.stereo.rules import Flow, check_consistency, check_range

Picture = NDArray[np.uint8]
Disparity = tuple[NDArray[np.float32], NDArray[np.bool_]]
"""Values and where they are valid."""


@dataclass(frozen=True)
class Frame:
    """Paths of one frame's files, None where there is none.

    first, second: the pictures of the two eyes, or `first` alone with both in it. forward: flow from the first to the
    second eye. disparity, uncertainty: PNG maps of 3DVideos2Stereo, of the first eye. sky: a mask of the picture that
    the sample shows.
    """

    first: str | None = None
    second: str | None = None
    forward: str | None = None
    backward: str | None = None
    disparity: str | None = None
    uncertainty: str | None = None
    sky: str | None = None


def read_frame(root: Path, recipe: Recipe, row: Row, layout: StereoLayout, frame: Frame) -> Sample:
    """Picture and disparity of the left eye; `row["swapped"]` says that the second eye is the left one.

    The picture is brought to the size of the disparity: of maps that is half the film's, so nothing is enlarged.

    Raises:
        SampleError: "vertical-disparity", "small-range" or "inconsistent-flow" by the rules of the layout;
            "missing-target" where there is neither a map nor flow both ways; others.
    """
    if layout.flow != "files":
        image, disparity = _computed(root, recipe, row, layout, frame)
    elif frame.disparity is not None:
        image, disparity = _from_maps(root, row, layout, frame)
    else:
        image, disparity = _from_flow_files(root, row, layout, frame)
    values, valid = disparity
    height, width = values.shape
    target = depth_map(values, recipe.target, mask=valid, sky=_sky(root, frame, height, width))
    picture = _reduced(image, height, width, row["files"][0])
    notes: dict[str, str | float | int] = {"disparity_from": _origin(layout, frame), "swapped": int(row["swapped"])}
    return Sample(row["key"], picture, target, tuple(row["files"]), notes=notes)


def _origin(layout: StereoLayout, frame: Frame) -> str:
    if layout.flow != "files":
        return layout.flow
    return "flow file" if frame.disparity is None else "map"


def _from_maps(root: Path, row: Row, layout: StereoLayout, frame: Frame) -> tuple[Picture, Disparity]:
    assert frame.disparity is not None, "the caller has looked"
    if frame.uncertainty is None:
        raise SampleError("missing-mask", "the disparity map has no uncertainty map", where=frame.disparity)
    values = read_decoded(root, frame.disparity, png_maps.decode_disparity)
    codes = read_decoded(root, frame.uncertainty, png_maps.decode_uncertainty)
    if codes.shape != values.shape:
        what = f"uncertainty is {codes.shape} but the disparity is {values.shape}"
        raise SampleError("shape-mismatch", what, where=frame.uncertainty)
    rules = layout.rules.at_width(values.shape[1])
    difference = codes * np.float32(png_maps.UNCERTAINTY_STEP_PX)
    try:
        check_range(values, rules)
        check_consistency(difference, rules)
    except SampleError as error:
        error.where = frame.disparity
        raise
    valid = codes <= png_maps.uncertainty_code(rules.consistent_px)
    image = _eye(root, layout, frame, second=False)
    # the map belongs to the first eye; seen from the right one, near things lie on the other side
    return image, (-values if row["swapped"] else values, valid)


def _from_flow_files(root: Path, row: Row, layout: StereoLayout, frame: Frame) -> tuple[Picture, Disparity]:
    if frame.forward is None or frame.backward is None:
        raise SampleError("missing-target", "the frame has no flow in both directions", where=row["files"][0])
    forward, backward = (
        read_decoded(root, path, partial(decode_flow, ending=path.rpartition(".")[2]))
        for path in (frame.forward, frame.backward)
    )
    disparity = _checked(forward, backward, row, layout, frame.forward)
    return _eye(root, layout, frame, second=row["swapped"]), disparity


def _computed(root: Path, recipe: Recipe, row: Row, layout: StereoLayout, frame: Frame) -> tuple[Picture, Disparity]:
    assert layout.flow != "files", "the caller has looked"
    first, second = _both_eyes(root, layout, frame)
    weights = recipe.path.parent / layout.raft_weights if layout.raft_weights else None
    try:
        forward, backward = compute_flow(first, second, layout.flow, weights)
    except SampleError as error:
        error.where = row["files"][0]
        raise
    disparity = _checked(forward, backward, row, layout, row["files"][0])
    return (second if row["swapped"] else first), disparity


def _checked(forward: Flow, backward: Flow, row: Row, layout: StereoLayout, where: str) -> Disparity:
    flows = (backward, forward) if row["swapped"] else (forward, backward)
    try:
        return to_disparity(*flows, layout.rules)
    except SampleError as error:
        error.where = where
        raise


def _eye(root: Path, layout: StereoLayout, frame: Frame, *, second: bool) -> Picture:
    if layout.packing != "separate":
        return _both_eyes(root, layout, frame)[second]
    path = frame.second if second else frame.first
    if path is None:
        raise SampleError(
            "missing-file", "the picture of the left eye is missing", where=frame.first or frame.second or frame.forward
        )
    return read_decoded(root, path, images.decode_rgb)


def _both_eyes(root: Path, layout: StereoLayout, frame: Frame) -> tuple[Picture, Picture]:
    if layout.packing == "separate":
        return _eye(root, layout, frame, second=False), _eye(root, layout, frame, second=True)
    whole = _eye(root, layout.model_copy(update={"packing": "separate"}), frame, second=False)
    try:
        return split_eyes(whole, layout.packing)
    except SampleError as error:
        error.where = frame.first
        raise


def _sky(root: Path, frame: Frame, height: int, width: int) -> NDArray[np.bool_] | None:
    if frame.sky is None:
        return None
    mask = read_decoded(root, frame.sky, images.decode_mask)
    fitted: NDArray[np.bool_] = fit_nearest(mask, height, width)
    if fitted.shape != (height, width):
        what = f"the sky mask is {mask.shape} but the disparity is {(height, width)} (height, width)"
        raise SampleError("shape-mismatch", what, where=frame.sky)
    return fitted


def _reduced(image: Picture, height: int, width: int, path: str) -> Picture:
    rows, columns = image.shape[:2]
    if (rows, columns) == (height, width):
        return image
    if rows < height or columns < width or abs(rows * width / (columns * height) - 1) > SAME_ASPECT:
        what = f"the picture is {(rows, columns)} but its disparity is {(height, width)} (height, width)"
        raise SampleError("shape-mismatch", what, where=path)
    return resize_image(image, (height, width), "area")
