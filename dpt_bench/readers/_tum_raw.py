"""Raw TUM RGB-D sequences: colour and depth with their own clocks, brought together by time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dpt_bench.core.errors import SampleError, UsageError
from dpt_bench.core.recipe import Recipe
from dpt_bench.core.sample import Sample
from dpt_bench.formats import images
from dpt_bench.readers import _example
from dpt_bench.readers._contract import Row
from dpt_bench.readers._targets import camera_for, depth_map
from dpt_bench.readers._tree import (
    image_and_target,
    item_table,
    legal_key,
    read_decoded,
    read_source,
    wrong_tree,
)

LISTS = ("rgb.txt", "depth.txt")
FRAME_S = 1 / 30
CLOCK_OFFSET_S = 0.012


def list_sequences(root: Path, recipe: Recipe, window_s: float, files: Sequence[str]) -> pa.Table:
    """One row a colour image of every sequence among `files` whose nearest free depth map lies within the window.

    Association comes first and files second, as in the official associate.py: a pair of which a file is missing is
    skipped, and its survivor is not given to another.

    Raises:
        UsageError: no sequence, or none with a complete pair.
    """
    below = set(files)
    sequences = sorted(path.removesuffix("/rgb.txt") for path in below if path.endswith("/rgb.txt"))
    keys, names, pairs = [], [], []
    paired = 0
    for sequence in sequences:
        if f"{sequence}/depth.txt" not in below:
            continue
        colour, depth = (read_list(root, f"{sequence}/{name}") for name in LISTS)
        for first, second in associate([stamp for stamp, _ in colour], [stamp for stamp, _ in depth], window_s):
            pair = f"{sequence}/{colour[first][1]}", f"{sequence}/{depth[second][1]}"
            paired += 1
            if below.issuperset(pair):
                name = sequence.rpartition("/")[2]
                keys.append(legal_key(f"{name}/{Path(pair[0]).stem.replace('.', '_')}"))
                names.append(legal_key(name))
                pairs.append(pair)
    if not keys:
        h5 = "<clip>_<microseconds>.jpg.h5 files"
        raise wrong_tree(root, recipe, [h5, "rgbd_dataset_*/{rgb,depth}.txt with the images that they name"])
    return item_table(keys, names, pairs, metadata={"listed": str(paired), "missing": str(paired - len(keys))})


def read_list(root: Path, relative: str) -> list[tuple[float, str]]:
    """(time in s, path) of each row of rgb.txt or depth.txt.

    Raises:
        UsageError: a row is not a number and a path.
    """
    rows = []
    try:
        for line in read_source(root, relative).decode().splitlines():
            words = line.split()
            if words and not words[0].startswith("#"):
                rows.append((float(words[0]), words[1]))
    except (ValueError, IndexError, SampleError) as error:
        raise UsageError(
            f"the list cannot be read: {error}", where=root / relative, fix="unpack the sequence again"
        ) from error
    return rows


def associate(first_s: Sequence[float], second_s: Sequence[float], window_s: float) -> list[tuple[int, int]]:
    """Index pairs of times less than `window_s` apart, nearest first and each time once; sorted by the first index."""
    second = np.asarray(second_s)
    order = np.argsort(second)
    ascending = second[order]
    candidates = []
    for index, stamp in enumerate(first_s):
        low, high = np.searchsorted(ascending, [stamp - window_s, stamp + window_s])
        near = order[low:high]
        candidates += [(abs(stamp - second[other]), index, int(other)) for other in near]
    partner: dict[int, int] = {}
    taken: set[int] = set()
    for distance, index, other in sorted(candidates):
        if distance < window_s and index not in partner and other not in taken:
            partner[index] = other
            taken.add(other)
    return sorted(partner.items())


def read_pair(root: Path, recipe: Recipe, row: Row, scale: float) -> Sample:
    """Decode a colour image and its registered depth map."""
    image_path, depth_path = image_and_target(row)
    image = read_decoded(root, image_path, images.decode_rgb)
    codes = read_decoded(root, depth_path, images.decode_gray)
    target = depth_map(codes, recipe.target.model_copy(update={"scale": scale}))
    return Sample(row["key"], image, target, (image_path, depth_path), camera_for(recipe, *image.shape[:2]))


def write_sequence(
    root: Path, name: str, frames: Sequence[tuple[NDArray[np.uint8], NDArray[np.float32]]], scale: float
) -> None:
    """Write frames as a sequence whose depth clock runs behind, and whose lists name a frame that is not there."""
    start = 1305031452.791720
    header = f"# {{}}\n# file: '{name}.bag'\n# timestamp filename\n"
    lists = {"rgb": header.format("color images"), "depth": header.format("depth maps")}
    for number in range(len(frames) + 1):
        for kind, offset in (("rgb", 0.0), ("depth", CLOCK_OFFSET_S)):
            stamp = f"{start + number * FRAME_S + offset:.6f}"
            lists[kind] += f"{stamp} {kind}/{stamp}.png\n"
            if number < len(frames):
                image, depth = frames[number]
                codes = np.clip(np.round(depth / scale), 0, 65535).astype(np.uint16)
                data = images.encode_png(image if kind == "rgb" else codes)
                _example.write_file(root, f"{name}/{kind}/{stamp}.png", data)
    for kind, text in lists.items():
        _example.write_file(root, f"{name}/{kind}.txt", text.encode())
