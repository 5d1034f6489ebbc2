"""Decoded samples in numbers and pictures: shares of the target's values, and image beside target with its mask."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpt_bench.core.errors import DataError
from dpt_bench.formats import images
from dpt_bench.render.colour import colourise, display_range
from dpt_bench.render.montage import montage
from dpt_bench.resize import pick_pixels, resize_image
from dpt_bench.shards import ShardSample, ShardStore, read_sample

BINS = 64
SKY_COLOUR = (94, 178, 237)
"""RGB of the sky in pictures: no colour of the map for inverse depth comes near it."""

_INVALID_SKY_SHARE = 0.7
_PANEL_HEIGHT = 240
_CLASSES = 256
_JPEG_QUALITY = 88


@dataclass(frozen=True)
class SampleFacts:
    """One decoded sample.

    shares: of its pixels, by value: BINS bins of the normalised inverse depth 0 to 1 without sky (in a segmentation
    shard: class indices). sky: share of the pixels that are valid sky. picture: JPEG, image and target side by side.
    """

    row: Mapping[str, Any]
    shares: NDArray[np.float64]
    is_labels: bool
    sky: float
    picture: bytes | None


@dataclass(frozen=True)
class Damaged:
    """A sample that cannot be decoded, and why."""

    row: Mapping[str, Any]
    why: str


@dataclass(frozen=True)
class _Job:
    store: ShardStore
    dataset: str
    row: Mapping[str, Any]
    with_picture: bool


def measure_samples(
    store: ShardStore, dataset: str, rows: list[dict[str, Any]], pictures: Iterable[int], workers: int
) -> Iterator[SampleFacts | Damaged]:
    """Facts of the samples of these index rows, in their order; `pictures` are the places of those to draw.

    Decoded by `workers` threads (decoding runs outside the interpreter lock), each holding one sample at a time.
    """
    drawn = set(pictures)
    jobs = [_Job(store, dataset, row, place in drawn) for place, row in enumerate(rows)]
    with ThreadPoolExecutor(workers) as pool:
        try:
            yield from pool.map(_measure, jobs)
        finally:  # after Ctrl-C the others need not be read
            pool.shutdown(cancel_futures=True)


def _measure(job: _Job) -> SampleFacts | Damaged:
    row = job.row
    try:
        sample = read_sample(job.store, f"{job.dataset}/{row['shard']}", row["offset"], row["length"])
    except (DataError, OSError) as error:
        return Damaged(row, error.what if isinstance(error, DataError) else str(error))
    picture = images.encode_jpeg(picture_of(sample), _JPEG_QUALITY) if job.with_picture else None
    if sample.inverse_depth is None:
        return SampleFacts(row, _label_shares(sample), is_labels=True, sky=0.0, picture=picture)
    valid = np.isfinite(sample.inverse_depth)
    sky = np.zeros_like(valid) if sample.sky is None else sample.sky & valid
    counts, _ = np.histogram(sample.inverse_depth[valid & ~sky], bins=BINS, range=(0.0, 1.0))
    share_of_sky = np.count_nonzero(sky) / valid.size
    return SampleFacts(row, counts / valid.size, is_labels=False, sky=share_of_sky, picture=picture)


def _label_shares(sample: ShardSample) -> NDArray[np.float64]:
    assert sample.labels is not None
    counts = np.bincount(sample.labels.ravel(), minlength=_CLASSES)
    counts[_ignored(sample)] = 0
    return counts / sample.labels.size


def _ignored(sample: ShardSample) -> int:
    return int(sample.meta.get("ignore", 255))


def picture_of(sample: ShardSample) -> NDArray[np.uint8]:
    """Image and target side by side, 240 pixels high: uint8 (240, W, 3).

    The target's colours span the 1st to the 99th percentile of its valid pixels without sky; invalid pixels are hatched
    in grey, sky is blue, hatched where it is invalid.
    """
    height, width = sample.image.shape[:2]
    size = (min(height, _PANEL_HEIGHT), max(1, round(width * min(1.0, _PANEL_HEIGHT / height))))
    image = resize_image(sample.image, size, "area")
    if sample.inverse_depth is None:
        assert sample.labels is not None
        labels = pick_pixels(sample.labels, size)
        target = colourise(labels, labels != _ignored(sample))
    else:
        sky = None if sample.sky is None else pick_pixels(sample.sky, size)
        target = _colourise(pick_pixels(sample.inverse_depth, size), sky)
    return montage([[image, target]], gap=0)


def _colourise(values: NDArray[np.float32], sky: NDArray[np.bool_] | None) -> NDArray[np.uint8]:
    measured = np.isfinite(values) if sky is None else np.isfinite(values) & ~sky
    low, high = display_range(values, measured)
    picture = colourise(values, low=low, high=high)
    if sky is not None:
        share = np.where(np.isfinite(values[sky]), 1.0, _INVALID_SKY_SHARE)[:, None]
        picture[sky] = np.round((1 - share) * picture[sky] + share * np.array(SKY_COLOUR)).astype(np.uint8)
    return picture
