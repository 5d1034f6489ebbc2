"""Shards -> batches: mixing, order and augmentation as pure functions of seed and step; positions resume exactly."""

from __future__ import annotations

from dpt_bench.loading.augment import AugmentOptions
from dpt_bench.loading.batch import Batch, PackedBatch
from dpt_bench.loading.loader import Loader, LoaderOptions
from dpt_bench.loading.validation import ValidationLoader, ValidationOptions
from dpt_bench.loading.workers import WorkerOptions

__all__ = [
    "AugmentOptions",
    "Batch",
    "Loader",
    "LoaderOptions",
    "PackedBatch",
    "ValidationLoader",
    "ValidationOptions",
    "WorkerOptions",
]
