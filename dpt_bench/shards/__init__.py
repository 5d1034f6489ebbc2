"""Encoded training samples in tars on any fsspec URL, with ledgers and indexes; how to read and verify them."""

from __future__ import annotations

from dpt_bench.shards.codec import ShardSample, decoder
from dpt_bench.shards.layout import ShardStore
from dpt_bench.shards.opening import Shards, open_shards
from dpt_bench.shards.reader import iterate_shard, read_sample
from dpt_bench.shards.verify import VerifyReport, verify

__all__ = [
    "ShardSample",
    "ShardStore",
    "Shards",
    "VerifyReport",
    "decoder",
    "iterate_shard",
    "open_shards",
    "read_sample",
    "verify",
]
