"""NYU Depth v2: the labelled set, 1,449 Kinect frames in one MATLAB 7.3 file that is read a frame at a time."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.io import loadmat, savemat
from scipy.io.matlab import MatReadError

from dpt_bench.core.errors import FormatError, SampleError, UsageError
from dpt_bench.core.recipe import Recipe
from dpt_bench.core.sample import Sample
from dpt_bench.core.toml import Strict, check
from dpt_bench.readers import _example
from dpt_bench.readers._contract import Row
from dpt_bench.readers._splits import load_split_list
from dpt_bench.readers._targets import camera_for, depth_map
from dpt_bench.readers._tree import check_tree, empty_split, files_below, item_table, read_source, wrong_tree
from dpt_bench.scenes.scene import Scene
from dpt_bench.scenes.sensors import structured_light_holes

USERBLOCK_BYTES = 512
HEADER_BYTES = 116
MAT_HEADER = b"MATLAB 7.3 MAT-file, Platform: GLNXA64, Created on: Thu Jan  1 00:00:00 2026 HDF5 schema 1.00 ."
SPLITS_HEADER = b"MATLAB 5.0 MAT-file, Platform: GLNXA64, Created on: Thu Jan  1 00:00:00 2026"


class Layout(Strict):
    """mat, splits_mat: file names, looked for below the root; depths: "rawDepths" with holes, or "depths"."""

    mat: str
    splits_mat: str
    depths: str


class Reader:
    """nyu_depth_v2_labeled.mat, with the official splits.mat or, where that is absent, our copy of its list."""

    def list(self, root: Path, recipe: Recipe, split: str) -> pa.Table:
        """One row a test frame; column `index` counts from 0 into the .mat file.

        Raises:
            UsageError: also where the indices do not fit the .mat file.
        """
        check_tree(root, recipe, split)
        layout = check(recipe.layout, Layout, where=recipe.path)
        below = sorted(files_below(root))
        mat = _named(below, layout.mat)
        if mat is None:
            raise wrong_tree(root, recipe, [layout.mat])
        indices, origin = _indices(root, recipe, split, _named(below, layout.splits_mat))
        frames = _num_frames(root / mat, layout)
        if indices and max(indices) >= frames:
            raise UsageError(
                f"{origin} names frame {max(indices)} but the file holds {frames}",
                where=root / mat,
                fix=f"put the {layout.splits_mat} that belongs to it beside it, or download it again",
            )
        if not indices:
            raise empty_split(root, recipe, split)
        keys = [f"{index:04d}" for index in indices]
        return item_table(keys, keys, [(mat,)] * len(keys), {"index": indices}, {"listed_in": origin})

    def read(self, root: Path, recipe: Recipe, row: Row) -> Sample:
        """Decode one frame; MATLAB stores columns first, so both arrays are transposed."""
        layout = check(recipe.layout, Layout, where=recipe.path)
        place, index = row["files"][0], int(row["index"])
        try:
            with h5py.File(root / place) as file:
                image = np.ascontiguousarray(file["images"][index].transpose(2, 1, 0))
                depth = file[layout.depths][index].T
        except (KeyError, IndexError, OSError) as error:
            raise FormatError(f"frame {index} cannot be read: {error}", where=place) from error
        if image.dtype != np.uint8:
            raise SampleError("bad-image", f"images are {image.dtype}, not uint8", where=place)
        target = depth_map(np.ascontiguousarray(depth), recipe.target)
        return Sample(row["key"], image, target, (place,), camera_for(recipe, *image.shape[:2]), {"index": index})

    def write_example(self, root: Path, recipe: Recipe, scenes: Iterable[Scene]) -> None:
        """A .mat of N + 1 frames and a splits.mat: the first frame is for training, so counting from 1 or 0 shows."""
        layout = check(recipe.layout, Layout, where=recipe.path)
        count = write_mat(root / layout.mat, _frames(recipe, scenes), filled=layout.depths == "depths") - 1
        write_splits(root / layout.splits_mat, train=[0], test=list(range(1, count + 1)))
        _example.write_marker(root, recipe, count)


def write_mat(
    path: Path, frames: Iterable[tuple[NDArray[np.uint8], NDArray[np.float32]]], *, filled: bool = False
) -> int:
    """Write frames, RGB uint8 (H, W, 3) and raw depth float32 (H, W) in m, as a .mat file; returns their number.

    `filled` also writes the numbers as "depths", which the real file holds inpainted.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with h5py.File(path, "w", userblock_size=USERBLOCK_BYTES) as file:
        for image, depth in frames:
            _append(file, "images", image.transpose(2, 1, 0), "uint8")
            for name in ("rawDepths", "depths") if filled else ("rawDepths",):
                _append(file, name, depth.T, "single")
            count += 1
    with path.open("r+b") as raw:  # MATLAB's own header lies before the HDF5 part
        raw.write(MAT_HEADER.ljust(HEADER_BYTES) + bytes(8) + b"\x00\x02IM")
    return count


def write_splits(path: Path, *, train: list[int], test: list[int]) -> None:
    """Write indices that count from 0 as the official splits.mat, which counts from 1, in columns of uint16."""
    columns = {"trainNdxs": train, "testNdxs": test}
    buffer = io.BytesIO()
    savemat(buffer, {name: np.array(rows, np.uint16)[:, None] + 1 for name, rows in columns.items()})
    header = SPLITS_HEADER.ljust(HEADER_BYTES)  # scipy's own says when: the same world would have other bytes every day
    path.write_bytes(header + buffer.getvalue()[HEADER_BYTES:])


def _frames(recipe: Recipe, scenes: Iterable[Scene]) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.float32]]]:
    for number, scene in enumerate(scenes):
        if number == 0:
            yield scene.image[:, ::-1], scene.depth_m[:, ::-1]
        valid = structured_light_holes(scene.depth_m, scene.labels, _example.defects(recipe, scene)) & ~scene.sky
        yield scene.image, np.where(valid, scene.depth_m, 0).astype(np.float32)


def _append(file: h5py.File, name: str, frame: NDArray[np.generic], matlab_class: str) -> None:
    if name not in file:
        file.create_dataset(
            name, (0, *frame.shape), frame.dtype, maxshape=(None, *frame.shape), chunks=(1, *frame.shape),
            compression="gzip", compression_opts=1,
        )  # fmt: skip
        file[name].attrs["MATLAB_class"] = np.bytes_(matlab_class)
    file[name].resize(file[name].shape[0] + 1, axis=0)
    file[name][-1] = frame


def _named(below: list[str], name: str) -> str | None:
    return next((path for path in below if path.rpartition("/")[2] == name), None)


def _indices(root: Path, recipe: Recipe, split: str, splits_mat: str | None) -> tuple[list[int], str]:
    if splits_mat is None:
        groups = load_split_list(recipe, split).values()
        return [index for group in groups for index in group], "the packaged list (no splits.mat was found)"
    try:
        lists = loadmat(io.BytesIO(read_source(root, splits_mat)))
        return [int(index) - 1 for index in lists["testNdxs"].ravel()], splits_mat
    except (MatReadError, KeyError, ValueError, TypeError, NotImplementedError, SampleError) as error:
        raise UsageError(
            f"the list of test frames cannot be read: {error}", where=root / splits_mat, fix="download splits.mat again"
        ) from error


def _num_frames(path: Path, layout: Layout) -> int:
    try:
        with h5py.File(path) as file:
            return min(len(file["images"]), len(file[layout.depths]))
    except (OSError, KeyError) as error:
        raise UsageError(
            f"not a labelled NYU file with images and {layout.depths}: {error}", where=path, fix="download it again"
        ) from error
