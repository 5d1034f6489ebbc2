"""Depth in the Wild: one pair of points an image, ordered by people."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dpt_bench.core.errors import SampleError, UsageError
from dpt_bench.core.recipe import Recipe
from dpt_bench.core.sample import OrdinalPairs, Sample
from dpt_bench.core.toml import Strict, check
from dpt_bench.formats import images
from dpt_bench.readers import _example
from dpt_bench.readers._contract import Row
from dpt_bench.readers._targets import camera_for
from dpt_bench.readers._tree import (
    check_tree,
    files_below,
    item_table,
    legal_key,
    read_decoded,
    read_source,
    wrong_tree,
)
from dpt_bench.scenes.scene import Scene

CLEAR_RATIO = 1.1
"""Depth ratio above which a person would tell the nearer of two points, in the example tree."""
SYMMETRIC = 0.5
"""Share of pairs within one row, mirrored at the middle, in the example tree; see `Reader.write_example`."""
TRIALS = 200


class Layout(Strict):
    """annotations: the file name of the list, looked for below the root."""

    annotations: str


class Reader:
    """Lines in twos: ./DIW_test/<name>.thumb, then y_A,x_A,y_B,x_B,relation,width,height, counted from 1."""

    def list(self, root: Path, recipe: Recipe, split: str) -> pa.Table:
        """One row an annotated image that is there; column `pair` holds its line of numbers."""
        check_tree(root, recipe, split)
        layout = check(recipe.layout, Layout, where=recipe.path)
        below = sorted(files_below(root))
        lists = [path for path in below if path.rpartition("/")[2] == layout.annotations]
        by_tail = {"/".join(path.split("/")[-2:]): path for path in reversed(below)}
        annotated = _read_list(root, lists[0]) if lists else []
        there = {by_tail[tail]: (tail, pair) for tail, pair in annotated if tail in by_tail}
        if not there:
            raise wrong_tree(root, recipe, [layout.annotations, "the images DIW_test/*.thumb that it names"])
        keys = [legal_key(tail.rpartition(".")[0]) for tail, _ in there.values()]
        files = [(path, lists[0]) for path in there]
        remarks = {"listed": str(len(annotated)), "missing": str(len(annotated) - len(there))}
        return item_table(keys, keys, files, {"pair": [pair for _, pair in there.values()]}, remarks)

    def read(self, root: Path, recipe: Recipe, row: Row) -> Sample:
        """Decode an image and its pair; points are floored and clipped to the image, as its public readers do.

        Raises:
            SampleError: "bad-annotation" where the line is not what it should be.
        """
        image_path = row["files"][0]
        image = read_decoded(root, image_path, images.decode_rgb)
        height, width = image.shape[:2]
        points, farther = parse_pair(row["pair"], height, width)
        camera = camera_for(recipe, height, width)
        return Sample(row["key"], image, OrdinalPairs(points, farther), tuple(row["files"]), camera)

    def write_example(self, root: Path, recipe: Recipe, scenes: Iterable[Scene]) -> None:
        """One clearly ordered pair a scene, the nearer point first as often as not, and as the authors drew them.

        Half of the pairs are any two pixels; the others lie in one row, as far left of the middle as right of it, so
        that "the lower one is nearer" does not answer them (Chen et al., NIPS 2016, section 3).
        """
        layout = check(recipe.layout, Layout, where=recipe.path)
        lines = []
        for scene in scenes:
            name = f"DIW_test/{scene.index * 2654435761 % 2**32:08x}{scene.index:08d}.thumb"
            _example.write_file(root, name, images.encode_jpeg(scene.image))
            (ya, xa), (yb, xb) = _clear_pair(scene, _example.defects(recipe, scene))
            relation = ">" if scene.depth_m[ya, xa] > scene.depth_m[yb, xb] else "<"
            height, width = scene.sky.shape
            lines += [f"./{name}", f"{ya + 1},{xa + 1},{yb + 1},{xb + 1},{relation},{width},{height}"]
        _example.write_file(root, f"DIW_Annotations/{layout.annotations}", ("\n".join(lines) + "\n").encode())
        _example.write_marker(root, recipe, len(lines) // 2)


def parse_pair(line: str, height: int, width: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """(points (1, 2, 2) as (x, y) from 0, farther (1,)) of "y_A,x_A,y_B,x_B,relation,width,height".

    The line counts from 1 in an image of the size that it names; '>' says that A is farther (DataLoader_DIW.lua of
    princeton-vl/relative_depth). Points are brought to `height` x `width` where the image has another size.

    Raises:
        SampleError: "bad-annotation".
    """
    words = line.split(",")
    try:
        ya, xa, yb, xb, named_width, named_height = (float(word) for word in (*words[:4], *words[5:7]))
    except ValueError:
        raise SampleError("bad-annotation", f"not y_A,x_A,y_B,x_B,relation,width,height: {line!r}") from None
    if words[4] not in (">", "<") or not min(named_width, named_height) > 0:
        raise SampleError("bad-annotation", f"relation {words[4]!r} or size is unknown: {line!r}")
    corners = np.array([[xa, ya], [xb, yb]]) - 1
    scaled = corners * [width / named_width, height / named_height]
    if not np.isfinite(scaled).all():
        raise SampleError("bad-annotation", f"a coordinate is not finite: {line!r}")
    points = np.floor(np.clip(scaled, 0, [width - 1, height - 1]))
    return points[None], np.array([words[4] == ">"])


def _read_list(root: Path, relative: str) -> list[tuple[str, str]]:
    try:
        lines = [line.strip() for line in read_source(root, relative).decode().splitlines() if line.strip()]
    except (UnicodeDecodeError, SampleError) as error:
        raise UsageError(f"the list cannot be read: {error}", where=root / relative, fix="download it again") from error
    if len(lines) % 2 or any(
        "," in name or "," not in pair for name, pair in zip(lines[::2], lines[1::2], strict=True)
    ):
        raise UsageError(
            "the list is not lines in twos, an image and its pair", where=root / relative, fix="download it again"
        )
    return [("/".join(name.split("/")[-2:]), pair) for name, pair in zip(lines[::2], lines[1::2], strict=True)]


def _clear_pair(scene: Scene, rng: np.random.Generator) -> tuple[tuple[int, int], tuple[int, int]]:
    """Two pixels (y, x) whose depths differ clearly; the last two tried where nothing does."""
    height, width = scene.sky.shape
    first = second = (0, 0)
    symmetric = rng.random() < SYMMETRIC
    for _ in range(TRIALS):
        first, second = ((int(rng.integers(height)), int(rng.integers(width))) for _ in range(2))
        if symmetric:  # in one row, for odd widths too in two columns
            column = int(rng.integers(width // 2))
            first, second = ((first[0], (column, width - 1 - column)[side]) for side in rng.permutation(2))
        near, far = sorted((float(scene.depth_m[first]), float(scene.depth_m[second])))
        if far > CLEAR_RATIO * near:
            break
    return first, second
