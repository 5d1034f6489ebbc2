"""A small, whole shard folder made with the package's own writer, and samples to put into it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dpt_bench.shards.codec import ShardSample, encode_members
from dpt_bench.shards.compaction import compact, summarise
from dpt_bench.shards.index import LedgerRecord, encode_ledger, encode_table, read_ledger
from dpt_bench.shards.layout import DATASET, INDEX, MANIFEST, REJECTED, ShardStore, ledger_name, shard_name
from dpt_bench.shards.records import Identity, ItemsRecord, Manifest, MemberRecord, built_record, encode_record
from dpt_bench.shards.writer import TarWriter


def make_sample(key: str, seed: int = 0, size: tuple[int, int] = (20, 30)) -> ShardSample:
    rng = np.random.default_rng(seed)
    inverse = rng.random(size, np.float32)
    inverse[0] = np.nan
    sky = np.zeros(size, bool)
    sky[1] = True
    inverse[1] = 0
    meta = {"recipe": "toy", "kind": "metric_depth", "lo": 0.0, "hi": 2.0, "original_size": [40, 60], "sources": ["x"]}
    return ShardSample(key, rng.integers(0, 255, (*size, 3), np.uint8), inverse, sky, None, meta)


def row_of(sample: ShardSample, shard: str, offset: int, length: int) -> dict[str, Any]:
    height, width = sample.image.shape[:2]
    return {
        "key": sample.key,
        "split": shard.split("-")[0],
        "shard": shard,
        "scene": "s",
        "sources": ["x.png", "x.npy"],
        "status": "accepted",
        "kind": "metric_depth",
        "offset": offset,
        "length": length,
        "height": height,
        "width": width,
        "original_height": 40,
        "original_width": 60,
        "valid_fraction": sample.valid_fraction,
        "sky_fraction": 0.05,
        "lo": 0.0,
        "hi": 2.0,
    }


def rejected_row(key: str, shard: str) -> dict[str, Any]:
    who = {"key": key, "split": shard.split("-")[0], "shard": shard, "scene": "s", "sources": ["bad.png"]}
    return who | {"status": "rejected", "reason": "corrupt-file", "message": "truncated"}


def write_shard(store: ShardStore, dataset: str, shard: str, keys: list[str]) -> None:
    rows = []
    with store.temporary(f"{dataset}/{shard}") as local:
        writer = TarWriter(local)
        for number, key in enumerate(keys):
            sample = make_sample(key, number)
            span = writer.add(key, encode_members(sample))
            rows.append(row_of(sample, shard, span.offset, span.length))
        facts = writer.finish()
        store.put_atomic(local, f"{dataset}/{shard}")
    rows.append(rejected_row(f"{keys[0]}-bad", shard))
    record = LedgerRecord(
        schema_version=1,
        job_sha256="0" * 64,
        samples=len(keys),
        rejected=1,
        num_bytes=facts.num_bytes,
        sha256=facts.sha256,
    )
    store.put_bytes(f"{dataset}/{ledger_name(shard)}", encode_ledger(rows, record))


def write_folder(url: str) -> ShardStore:
    """Dataset "toy" with train-00000 (3 samples), train-00001 (2) and val-00000 (1), one rejected item in each."""
    store = ShardStore.at(url)
    shards = {
        shard_name("train", 0): ["a/0", "a/1", "b/0"],
        shard_name("train", 1): ["b/1", "c/0"],
        shard_name("val", 0): ["v/0"],
    }
    for shard, keys in shards.items():
        write_shard(store, "toy", shard, keys)
    ledgers = [(shard, read_ledger(store, "toy", shard)) for shard in shards]
    index, rejected = compact([ledger for _, ledger in ledgers])
    identity = Identity(
        dataset="toy",
        recipe_version=1,
        recipe_sha256="1" * 64,
        options={"seed": 0},
        items={"train": ItemsRecord(count=7, sha256="2" * 64), "val": ItemsRecord(count=2, sha256="3" * 64)},
    )
    record = summarise(identity, ledgers, complete=True)
    manifest = Manifest(
        mix="toys",
        mix_version=1,
        members=(MemberRecord(dataset="toy", weight=1.0), MemberRecord(dataset="absent", weight=3.0)),
        options={"seed": 0},
        datasets={"toy": built_record(record)},
        missing={"absent": "not found"},
        provenance={},
    )
    store.put_bytes(f"toy/{INDEX}", encode_table(index))
    store.put_bytes(f"toy/{REJECTED}", encode_table(rejected))
    store.put_bytes(f"toy/{DATASET}", encode_record(record))
    store.put_bytes(MANIFEST, encode_record(manifest))
    return store


@dataclass
class Making:
    """What tests make shards with."""

    sample: Callable[..., ShardSample]
    shard: Callable[[ShardStore, str, str, list[str]], None]
    folder: Callable[[str], ShardStore]


@pytest.fixture
def making() -> Making:
    return Making(make_sample, write_shard, write_folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A whole shard folder on disk."""
    write_folder(str(tmp_path / "shards"))
    return tmp_path / "shards"
