"""A static page about a shard folder: what is in it, what was rejected and why, and what the samples look like."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from dpt_bench.conversion.inspect_index import IndexFacts, Rejection, read_index_facts, read_rejections, spread
from dpt_bench.conversion.inspect_page import DatasetView, Picture, SampleShares, ShardsView, render_inspection
from dpt_bench.conversion.inspect_samples import Damaged, SampleFacts, measure_samples
from dpt_bench.core.errors import DataError, UsageError
from dpt_bench.core.progress import SILENT, Progress
from dpt_bench.shards import ShardStore, open_shards
from dpt_bench.shards.layout import DATASET, INDEX
from dpt_bench.shards.records import read_dataset_record, read_manifest

PICTURES = "pictures"


@dataclass(frozen=True)
class InspectOptions:
    """samples: decoded of each dataset, for histograms of pixels. pictures: drawn of each dataset, of those.

    seed: of the choice of samples. workers: threads that decode, None for one a core.
    """

    samples: int = 200
    pictures: int = 9
    seed: int = 0
    workers: int | None = None

    def __post_init__(self) -> None:
        if self.samples < 1 or self.pictures < 0:
            raise UsageError(f"samples must be at least 1 and pictures at least 0, got {self.samples}, {self.pictures}")


@dataclass(frozen=True)
class _Task:
    store: ShardStore
    out: Path
    options: InspectOptions
    progress: Progress


@dataclass
class _Decoded:
    """What came of the samples that were picked to be decoded."""

    sound: list[SampleFacts] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    damaged: list[Damaged] = field(default_factory=list)


def inspect_shards(
    url: str | Path, out: Path, options: InspectOptions | None = None, progress: Progress = SILENT
) -> Path:
    """Write `out`/index.html and `out`/pictures/ about the shards at a local path or any fsspec URL.

    Counts, sizes, fractions and ranges are of every sample; the distribution of inverse depth and the pictures are of
    `options.samples` evenly spread ones a dataset. Memory does not grow with the datasets. Unfinished datasets, such as
    one of which too much was rejected, are shown too, and so is how many of the decoded samples are damaged.

    Returns:
        The page.

    Raises:
        UsageError: there are no shards at the URL, or `out` cannot be written, or lies among the shards.
        DataError: a table or record of a dataset is missing or damaged; `dpt-bench verify` says where.
    """
    store = ShardStore.at(url)
    store.check()
    manifest = None if read_manifest(store) is None else open_shards(url).manifest
    names = list(manifest.datasets) if manifest else []
    names += [name for name in _folders(store) if name not in names]
    if not names:
        fix = "check the path, or build shards there: dpt-bench build-mix6 --raw DIR --out URL"
        raise UsageError("no shards here", where=store.url, fix=fix)
    _claim(store, out)
    task = _Task(store, out, options or InspectOptions(), progress)
    views = [_view(task, name, number) for number, name in enumerate(names, 1)]
    page = out / "index.html"
    _write(page, render_inspection(ShardsView(store.url, manifest, views)).encode())
    return page


def _folders(store: ShardStore) -> Iterator[str]:
    for name, size in store.list().items():
        if size is None and store.exists(f"{name}/{DATASET}"):
            yield name


def _claim(store: ShardStore, out: Path) -> None:
    """Refuse early what would fail, or do harm, after minutes of reading."""
    root = store.local_root
    if root is not None and out.absolute().resolve().is_relative_to(root.resolve()):
        fix = "choose an --out elsewhere"
        raise UsageError("the page would lie among the shards, where `verify` takes it for foreign", where=out, fix=fix)
    _write(out / PICTURES / ".writable", b"")
    (out / PICTURES / ".writable").unlink()


def _view(task: _Task, dataset: str, number: int) -> DatasetView:
    store, options = task.store, task.options
    record = read_dataset_record(store, dataset)
    if record is None:
        fix = "run `dpt-bench verify` on the shards; it says what to rebuild"
        raise DataError("a dataset of the manifest is missing", where=store.address(f"{dataset}/{DATASET}"), fix=fix)
    if not record.complete and not store.exists(f"{dataset}/{INDEX}"):  # the build runs, or was interrupted
        return DatasetView(dataset, record, IndexFacts(), (), None, ())
    facts = read_index_facts(store, dataset, sum(record.samples.values()), options.samples, options.seed)
    rejections: list[Rejection] = read_rejections(store, dataset)
    decoded = _decode(task, dataset, facts, f"{PICTURES}/{number:02d}")
    if decoded.damaged:
        what = f"{dataset}: {len(decoded.damaged)} of {len(facts.picked)} samples are damaged"
        task.progress.message(f"{what}; `dpt-bench verify` says which shards to make again")
    shares = _mean_shares(decoded.sound)
    return DatasetView(dataset, record, facts, tuple(rejections), shares, decoded.pictures, decoded.damaged)


def _decode(task: _Task, dataset: str, facts: IndexFacts, prefix: str) -> _Decoded:
    """Decode the picked samples; write their pictures to `prefix`-<number>.jpg."""
    options = task.options
    name = f"inspect {dataset}"
    task.progress.start(name, len(facts.picked))
    drawn = spread(len(facts.picked), options.pictures, options.seed).tolist()
    workers = options.workers or os.cpu_count() or 1
    decoded = _Decoded()
    for sample in measure_samples(task.store, dataset, facts.picked, drawn, workers):
        task.progress.advance(name)
        if isinstance(sample, Damaged):
            decoded.damaged.append(sample)
            continue
        if sample.picture is not None:
            href = f"{prefix}-{len(decoded.pictures) + 1:02d}.jpg"
            _write(task.out / href, sample.picture)
            decoded.pictures.append(Picture(href, sample.row))
        decoded.sound.append(sample)
    task.progress.finish(name)
    return decoded


def _mean_shares(samples: list[SampleFacts]) -> SampleShares | None:
    """The mean over samples: every image weighs the same, whatever its size."""
    if not samples:
        return None
    shares = np.mean([sample.shares for sample in samples], axis=0)
    return SampleShares(len(samples), shares, samples[0].is_labels, float(np.mean([sample.sky for sample in samples])))


def _write(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(f"the page cannot be written: {reason}", where=path, fix="choose another --out") from error
