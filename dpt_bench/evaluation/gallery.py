"""The best, median and worst images of each model and dataset as pictures: input, prediction, target, error."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from dpt_bench.core.errors import SampleError
from dpt_bench.core.kinds import DepthKind
from dpt_bench.core.progress import Progress
from dpt_bench.core.sample import DepthMap
from dpt_bench.evaluation.plan import DatasetPlan
from dpt_bench.evaluation.reading import Readable, read_item
from dpt_bench.formats.images import encode_jpeg, encode_png
from dpt_bench.predictors import Predictor, Query
from dpt_bench.render.colour import colourise, colourise_error, display_range
from dpt_bench.render.montage import montage
from dpt_bench.resize import pick_pixels, resize_image
from dpt_bench.results import Cell, ImageResult, ResultStore
from dpt_bench.results.atomic import write_atomically
from dpt_bench.results.gallery import TILES, Gallery, Panel, Rank, read_gallery, write_gallery
from dpt_bench.results.schema import from_table, rows_of
from dpt_bench.scoring import aligned_maps

_LONGEST_SIDE = 384
_ERROR_LIMIT = 0.5
"""Relative error that is drawn in the darkest red, the same in every picture."""
_SCATTERED = 0.5  # share of valid pixels below which they are drawn thicker

Image = NDArray[np.uint8]
Choice = tuple[Rank, str, float]


def write_galleries(
    store: ResultStore, datasets: Sequence[DatasetPlan], models: Sequence[Predictor], count: int, progress: Progress
) -> None:
    """Pictures of `count` images of each rank, in <store>/gallery; those that exist for the same images stay.

    Sets of point pairs have none: there is no map of the target or of an error.

    The few images are read and predicted again, so that nothing needs to be kept while thousands are evaluated.
    """
    dense = [plan for plan in datasets if plan.recipe.target.kind != DepthKind.ORDINAL]
    cells = [(plan, cell, model) for plan in dense for cell, model in zip(plan.cells, models, strict=True)]
    if not count or not cells:
        return
    table = store.table()
    progress.start("gallery", len(cells))
    for plan, cell, model in cells:
        choices = choose(from_table(rows_of(table, cell)), cell, count)
        _write(store.folder / "gallery" / cell.file_stem, plan, cell, (model, choices))
        progress.advance("gallery")
    progress.finish("gallery")


def choose(results: Sequence[ImageResult], cell: Cell, count: int) -> list[Choice]:
    """(rank, key, value) of the best, median and worst scored images by the cell's first metric, none twice."""
    metric = cell.metrics[0]
    values = {
        result.key: score.value
        for result in results
        for score in result.scores
        if score.metric == metric.name and score.value is not None
    }
    sign = 1.0 if metric.better == "lower" else -1.0
    order = sorted(values, key=lambda key: (sign * values[key], key))
    each = max(1, min(count, len(order) // 3))
    middle = max(0, (len(order) - each) // 2)
    ranked: list[tuple[Rank, list[str]]] = [
        ("best", order[:each]),
        ("median", order[middle : middle + each]),
        ("worst", order[::-1][:each]),
    ]
    chosen: dict[str, Rank] = {}
    for rank, keys in ranked:
        for key in keys:
            chosen.setdefault(key, rank)
    return [(rank, key, values[key]) for key, rank in chosen.items()]


def _write(folder: Path, plan: DatasetPlan, cell: Cell, work: tuple[Predictor, Sequence[Choice]]) -> None:
    model, choices = work
    if (folder / "panels.json").exists():
        known = [(panel.rank, panel.key, panel.value) for panel in read_gallery(folder).panels]
        if known == list(choices):
            return
    drawn = [(choice, tiles) for choice in choices if (tiles := _draw(plan, model, choice[1])) is not None]
    if not drawn:
        return
    panels = []
    for place, ((rank, key, value), tiles) in enumerate(drawn):
        files = {tile: f"{place}-{rank}-{tile}.png" for tile in TILES}
        for tile, image in zip(TILES, tiles, strict=True):
            write_atomically(folder / files[tile], encode_png(image), durable=False)
        panels.append(Panel(rank=rank, key=key, value=value, files=files))
    titles = [
        [f"{rank}: {key}", f"{cell.metrics[0].name} {value:.3f}", "target", "error"] for (rank, key, value), _ in drawn
    ]
    overview = montage([tiles for _, tiles in drawn], titles)
    gallery = Gallery(**{name: getattr(cell, name) for name in _SHARED}, metric=cell.metrics[0], panels=tuple(panels))
    write_atomically(folder / gallery.overview, encode_jpeg(overview, quality=90), durable=False)
    write_gallery(folder, gallery)
    named = {file for panel in panels for file in panel.files.values()}
    for stale in folder.glob("*.png"):
        if stale.name not in named:
            stale.unlink(missing_ok=True)


_SHARED = ("model", "checkpoint_sha256", "suite", "suite_version", "dataset")


def _draw(plan: DatasetPlan, model: Predictor, key: str) -> list[Image] | None:
    """The four tiles of an image, None where it can no longer be read or predicted, or has no map."""
    rows = plan.items.filter(pc.equal(plan.items["key"], pa.scalar(key))).to_pylist()
    item = read_item(plan, rows[0]) if rows else None
    if not isinstance(item, Readable) or not isinstance(item.target, DepthMap):
        return None
    sample = item.sample
    query = Query(sample.image, plan.recipe.name, key, sample.camera)
    try:
        prediction = model.predict([query], plan.protocol.resize)[0]
        maps = aligned_maps(item.target, prediction.values, model.kind, plan.protocol)
    except SampleError:
        return None
    size = _tile_size(*maps.valid.shape)
    low, high = display_range(maps.target, maps.valid)
    target, valid = _thickened(maps.target, maps.valid, size)
    error, _ = _thickened(maps.error, maps.valid, size)
    return [
        resize_image(sample.image, size, "area"),
        colourise(pick_pixels(maps.prediction, size), low=low, high=high),
        colourise(target, valid, low=low, high=high),
        colourise_error(error, valid, limit=_ERROR_LIMIT),
    ]


def _thickened(
    values: NDArray[np.float64], valid: NDArray[np.bool_], size: tuple[int, int]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """A tile of the values and its mask; scattered ones (LiDAR) are drawn a tile pixel thick, to be seen."""
    if valid.mean() < _SCATTERED:
        distance, nearest = cv2.distanceTransformWithLabels(
            (~valid).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
        )
        of_label = np.zeros(int(nearest.max()) + 1)
        of_label[nearest[valid]] = values[valid]
        values, valid = of_label[nearest], distance <= valid.shape[0] / size[0]
    return pick_pixels(values, size), pick_pixels(valid, size)


def _tile_size(height: int, width: int) -> tuple[int, int]:
    scale = min(1.0, _LONGEST_SIDE / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))
