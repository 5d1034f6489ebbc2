"""One job makes one shard: convert, check, publish the tar, and commit it with its ledger.

A job is names and paths; whoever runs it, wherever, twice or at the same time as another, publishes the same bytes.
"""

from __future__ import annotations

import hashlib
import io
import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import pyarrow as pa

from dpt_bench.conversion.convert_item import Source
from dpt_bench.conversion.options import SampleOptions
from dpt_bench.conversion.storage_errors import GO_ON, explain, is_hopeless, retrying
from dpt_bench.conversion.write_shard import write_shard
from dpt_bench.core.errors import DataError, DptBenchError, UsageError
from dpt_bench.shards.codec import ENCODING_VERSION
from dpt_bench.shards.index import Ledger, LedgerRecord, encode_ledger, read_ledger
from dpt_bench.shards.layout import SCHEMA_VERSION, ShardStore, ledger_name, shard_name
from dpt_bench.shards.temporary import remove_abandoned
from dpt_bench.shards.writer import TarFacts


@dataclass(frozen=True)
class ShardJob:
    """What a worker needs to make one shard.

    recipe: its name, or the path of a user's own. items: the shard's rows of the plan, as an arrow IPC stream.
    """

    dataset: str
    recipe: str
    recipe_sha256: str
    raw: str
    out: str
    split: str
    number: int
    items: bytes = field(repr=False)
    options: SampleOptions
    retry_rejected: bool = False

    @property
    def shard(self) -> str:
        return shard_name(self.split, self.number)

    @property
    def place(self) -> str:
        """The shard's URL, for messages."""
        return f"{self.out}/{self.dataset}/{self.shard}"


@dataclass(frozen=True)
class ShardReport:
    """What became of a job.

    reused: the shard was there already. error: why there is no shard; fatal: the others will fare no better.
    """

    dataset: str
    shard: str
    samples: int = 0
    rejections: dict[str, int] = field(default_factory=dict)
    num_bytes: int = 0
    seconds: float = 0.0
    reused: bool = False
    error: DptBenchError | None = None
    fatal: bool = False

    @property
    def items(self) -> int:
        """Items of the plan that this shard has dealt with."""
        return self.samples + sum(self.rejections.values())


def encode_items(items: pa.Table) -> bytes:
    """A slice of the plan as bytes of its own; pickling a slice would send the whole plan."""
    stream = io.BytesIO()
    with pa.ipc.new_stream(stream, items.schema) as writer:
        writer.write_table(items)
    return stream.getvalue()


def run_job(job: ShardJob) -> ShardReport:
    """Make the shard unless it is there. Failures that a person can mend come back in the report; bugs are raised."""
    started = time.perf_counter()
    try:
        with _one_thread():
            report = _make(job)
    except DptBenchError as error:
        report = failed(job, error, fatal=isinstance(error, UsageError))
    except OSError as error:
        report = failed(job, explain(error, job.place), fatal=is_hopeless(error))
    except MemoryError:
        exhausted = DataError("out of memory", where=job.place, fix=f"use fewer workers, {GO_ON}")
        report = failed(job, exhausted, fatal=False)
    return replace(report, seconds=time.perf_counter() - started)


def failed(job: ShardJob, error: DptBenchError, *, fatal: bool) -> ShardReport:
    """The report of a job that made no shard."""
    return ShardReport(job.dataset, job.shard, error=error, fatal=fatal)


def _make(job: ShardJob) -> ShardReport:
    """Each step is tried again by itself after a hiccup: what was converted is not lost to a failed upload."""
    store = ShardStore.at(job.out)
    items = pa.ipc.open_stream(job.items).read_all().to_pylist()
    identity = _job_sha256(job, items)
    committed = retrying(lambda: _committed(store, job, identity))
    if committed is not None:
        return _report(job, committed, reused=True)
    _remove_remains(store, job)
    source = Source.open(job.recipe, job.recipe_sha256, Path(job.raw))
    name, ledger = f"{job.dataset}/{job.shard}", f"{job.dataset}/{ledger_name(job.shard)}"
    with store.temporary(name) as local:
        rows, facts = retrying(lambda: write_shard(local, source, items, job.options))
        committed = retrying(lambda: _committed(store, job, identity))
        if committed is not None:  # another build was faster, with the same bytes
            return _report(job, committed, reused=True)
        retrying(lambda: store.put_atomic(local, name))
    record = _record(identity, rows, facts)
    retrying(lambda: store.put_bytes(ledger, encode_ledger(rows, record)))
    return _report(job, retrying(lambda: read_ledger(store, job.dataset, job.shard)), reused=False)


def _job_sha256(job: ShardJob, items: list[Mapping[str, Any]]) -> str:
    """Names all that determines the shard's bytes: by it a later build knows the shard for its own."""
    facts = [SCHEMA_VERSION, ENCODING_VERSION, job.dataset, job.recipe_sha256, job.shard, asdict(job.options)]
    text = json.dumps([facts, items], sort_keys=True, default=repr)  # a reader's own columns may hold anything
    return hashlib.sha256(text.encode()).hexdigest()


def _committed(store: ShardStore, job: ShardJob, identity: str) -> Ledger | None:
    """The ledger of an earlier run, if it names this very job and the tar has the right size.

    A stale one is withdrawn, since its tar is about to be replaced. One that is not there is left alone: another build
    of the same may just be writing it.
    """
    try:
        ledger = read_ledger(store, job.dataset, job.shard)
        if _is_good(ledger.record, store, job, identity):
            return ledger
    except FileNotFoundError:
        return None
    except DataError:
        pass  # it is damaged
    store.remove(f"{job.dataset}/{ledger_name(job.shard)}")
    return None


def _is_good(record: LedgerRecord, store: ShardStore, job: ShardJob, identity: str) -> bool:
    if record.job_sha256 != identity or store.size(f"{job.dataset}/{job.shard}") != record.num_bytes:
        return False
    return not (job.retry_rejected and record.rejected)


def _remove_remains(store: ShardStore, job: ShardJob) -> None:
    """Remove what a killed worker left of this shard."""
    if store.local_root is not None:
        for name in (job.shard, ledger_name(job.shard)):
            remove_abandoned(store.local_root / job.dataset, name)


def _record(identity: str, rows: list[dict[str, Any]], facts: TarFacts) -> LedgerRecord:
    rejected = sum(row.get("reason") is not None for row in rows)
    return LedgerRecord(
        schema_version=SCHEMA_VERSION,
        job_sha256=identity,
        samples=len(rows) - rejected,
        rejected=rejected,
        num_bytes=facts.num_bytes,
        sha256=facts.sha256,
    )


def _report(job: ShardJob, ledger: Ledger, *, reused: bool) -> ShardReport:
    reasons = Counter(reason for reason in ledger.table["reason"].to_pylist() if reason is not None)
    record = ledger.record
    return ShardReport(job.dataset, job.shard, record.samples, dict(reasons), record.num_bytes, reused=reused)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Workers are as many as cores: OpenCV's own threads would only fight each other."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)
