"""Small shards in the true format, written in a moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from dpt_bench.shards import ShardSample, records
from dpt_bench.shards.codec import encode_members
from dpt_bench.shards.index import INDEX_SCHEMA, encode_table
from dpt_bench.shards.layout import INDEX, MANIFEST, shard_name
from dpt_bench.shards.writer import write_tar

Splits = Mapping[str, int]


def write_shards(folder: Path, datasets: Mapping[str, Splits]) -> Path:
    """Shards of five samples, 96 x 128: `write_shards(folder, {"redweb": {"train": 12, "val": 4}})`."""
    built = {}
    for dataset, splits in datasets.items():
        rows = [row for split, count in splits.items() for row in _write_split(folder / dataset, split, count)]
        (folder / dataset / INDEX).write_bytes(encode_table(pa.Table.from_pylist(rows, schema=INDEX_SCHEMA)))
        built[dataset] = records.BuiltRecord(
            recipe_version=1, samples=dict(splits), rejected=0, shards=1, num_bytes=1, sha256=""
        )
    members = tuple(records.MemberRecord(dataset=name, weight=1.0 + i) for i, name in enumerate([*datasets, "wsvd"]))
    manifest = records.Manifest(
        mix="mix6", mix_version=1, members=members, options={}, datasets=built, missing={}, provenance={}
    )
    (folder / MANIFEST).write_bytes(records.encode_record(manifest))
    return folder


def _write_split(folder: Path, split: str, count: int) -> Iterator[dict[str, object]]:
    folder.mkdir(parents=True, exist_ok=True)
    for number, start in enumerate(range(0, count, 5)):
        name = shard_name(split, number)
        samples = [_sample(f"{split}/{i:04d}", i) for i in range(start, min(start + 5, count))]
        spans = write_tar(folder / name, ((sample.key, encode_members(sample)) for sample in samples))
        for place_in_split, span in enumerate(spans, start):
            place = {
                "kind": "metric_depth" if folder.name == "tartanair" else "affine_disparity",
                "lo": 0.1,
                "hi": 1.0 + place_in_split,
                "shard": name,
                "offset": span.offset,
                "length": span.length,
            }
            yield {"key": span.key, "split": split, "scene": "s", "sources": [], "height": 96, "width": 128, **place}


def _sample(key: str, seed: int) -> ShardSample:
    """A ground plane with a box on it; what is nearer is brighter, so that a network can learn from it."""
    rng = np.random.default_rng(seed)
    depth = np.linspace(0.0, 0.8, 96, dtype=np.float32)[:, None].repeat(128, axis=1)
    top, left = rng.integers(10, 60, 2)
    depth[top : top + 30, left : left + 40] = rng.uniform(0.3, 1.0)
    image = np.clip(255 * depth[..., None] * rng.uniform(0.7, 1.0, 3) + rng.normal(0, 4, (96, 128, 3)), 0, 255)
    sky = depth < 0.05
    depth[40:44, 20:30] = np.nan
    return ShardSample(key, image.astype(np.uint8), depth, sky, meta={"kind": "affine_disparity"})


@pytest.fixture(scope="session")
def small_shards() -> Callable[[Path, Mapping[str, Splits]], Path]:
    return write_shards


@pytest.fixture(scope="session")
def shards_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Two datasets, of 23 and 7 training samples, with validation splits of 6 and 3."""
    folder = tmp_path_factory.mktemp("shards")
    return str(write_shards(folder, {"redweb": {"train": 23, "val": 6}, "tartanair": {"train": 7, "val": 3}}))
