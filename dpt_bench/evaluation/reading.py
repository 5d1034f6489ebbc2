"""Samples read ahead by threads and grouped by image size, in bounded memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from dpt_bench.core.errors import SampleError
from dpt_bench.core.sample import DepthMap, LabelMap, OrdinalPairs, Sample
from dpt_bench.core.suite import SuiteDataset
from dpt_bench.evaluation.plan import DatasetPlan
from dpt_bench.scoring.pixels import input_window, inside_crop

_HELD_PIXELS = 50_000_000  # of images that wait for others of their size: two of ETH3D's, 160 of NYU's
_READ_AHEAD = 2  # decoded samples that wait, for each thread


@dataclass(frozen=True)
class Readable:
    """A sample with a target that can be scored."""

    sample: Sample
    target: DepthMap | OrdinalPairs


@dataclass(frozen=True)
class Unreadable:
    """An item that gave no sample; `reason` is a slug."""

    key: str
    reason: str
    message: str


Item = Readable | Unreadable
Row = Mapping[str, Any]


def read_item(plan: DatasetPlan, row: Row) -> Item:
    """Read one item; what a reader refuses, and files that cannot be opened, become an `Unreadable`."""
    try:
        sample = cropped(plan.reader.read(plan.root, plan.recipe, row), plan.protocol)
    except SampleError as error:
        return Unreadable(row["key"], error.reason, str(error))
    except OSError as error:
        return Unreadable(row["key"], "unreadable-file", str(error))
    if isinstance(sample.target, LabelMap):
        return Unreadable(row["key"], "no-depth-target", "the target is a LabelMap")
    return Readable(sample, sample.target)


def cropped(sample: Sample, protocol: SuiteDataset) -> Sample:
    """What a suite's input_crop leaves of image, target and camera; pairs are never cropped (`check_target`).

    Raises:
        SampleError: the image is smaller than the crop.
    """
    target = sample.target
    if protocol.input_crop == "none" or not isinstance(target, DepthMap):
        return sample
    height, width = target.values.shape
    rows, columns = input_window(protocol.input_crop, height, width)
    valid = target.valid & inside_crop(protocol.crop, height, width) if protocol.crop_frame == "whole" else target.valid
    sky = None if target.sky is None else target.sky[rows, columns]
    camera = sample.camera
    if camera is not None:
        camera = replace(camera, cx=camera.cx - columns.start, cy=camera.cy - rows.start)
    return replace(
        sample,
        image=np.ascontiguousarray(sample.image[rows, columns]),
        target=DepthMap(target.values[rows, columns], target.kind, valid[rows, columns], sky),
        camera=camera,
    )


def read_ahead(plan: DatasetPlan, rows: Iterable[Row], threads: int) -> Iterator[Item]:
    """Items in the order of their rows; `threads` decode the next ones meanwhile."""
    with ThreadPoolExecutor(threads, thread_name_prefix="read") as pool:
        waiting: deque[Future[Item]] = deque()
        for row in rows:
            waiting.append(pool.submit(read_item, plan, row))
            if len(waiting) >= threads * _READ_AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def batches(items: Iterable[Item], batch_size: int, report: Callable[[Unreadable], None]) -> Iterator[list[Readable]]:
    """Up to `batch_size` samples of one image size at a time; what could not be read goes to `report`."""
    held: dict[tuple[int, ...], list[Readable]] = {}
    for item in items:
        if isinstance(item, Unreadable):
            report(item)
            continue
        size = item.sample.image.shape
        held.setdefault(size, []).append(item)
        if len(held[size]) == batch_size:
            yield held.pop(size)
        while _pixels(held) > _HELD_PIXELS:
            yield held.pop(max(held, key=lambda shape: len(held[shape])))
    yield from held.values()


def _pixels(held: Mapping[tuple[int, ...], list[Readable]]) -> int:
    return sum(shape[0] * shape[1] * len(samples) for shape, samples in held.items())
