"""Verifies a shard folder: all files are there and nothing else, and every shard is what its ledger says."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

from dpt_bench.core.errors import DataError, UsageError
from dpt_bench.core.progress import SILENT, Progress
from dpt_bench.shards.compaction import compact
from dpt_bench.shards.index import Ledger, read_index, read_rejected
from dpt_bench.shards.layout import DATASET, INDEX, MANIFEST, REJECTED, ShardStore, ledger_name, shard_of
from dpt_bench.shards.records import DatasetRecord, Manifest, built_record, read_dataset_record, read_manifest
from dpt_bench.shards.temporary import is_temporary
from dpt_bench.shards.verify_shard import Problem, ShardCheck, check_shard

_AGAIN = "run the same build again"
_TASK = "verify"


@dataclass
class VerifyReport:
    """What was found. `rerun` names the shards that the same build will make again once their ledgers are removed."""

    url: str
    datasets: list[str] = field(default_factory=list)
    shards: int = 0
    samples: int = 0
    num_bytes: int = 0
    problems: list[Problem] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.problems

    @property
    def rerun(self) -> list[str]:
        """Shards to make again, as `dataset/train-00000.tar`."""
        return sorted({f"{problem.dataset}/{problem.shard}" for problem in self.problems if problem.shard})


def verify(url: str | Path, workers: int | None = None, progress: Progress = SILENT) -> VerifyReport:
    """Re-count, re-hash and decode everything below a shard URL, with `workers` threads (default: one a core).

    Decoding and hashing run outside the interpreter lock, so threads suffice, and each holds one sample at a time.

    Raises:
        UsageError: nothing at the URL looks like shards, or it must not be read.
    """
    store = ShardStore.at(url)
    store.check()
    report = VerifyReport(store.url)
    entries = store.list()
    report.datasets = [name for name, size in entries.items() if size is None and store.exists(f"{name}/{DATASET}")]
    if not report.datasets and MANIFEST not in entries:
        raise UsageError("no shards here", where=store.url, fix="check the path or URL")
    ledgers = _check_shards(store, report, workers or os.cpu_count() or 1, progress)
    records = {dataset: _check_dataset(store, dataset, ledgers[dataset], report) for dataset in report.datasets}
    report.problems += _check_root(store, entries, report.datasets, records)
    report.problems.sort(key=lambda problem: (problem.dataset, problem.file, problem.what))
    return report


def _check_shards(
    store: ShardStore, report: VerifyReport, workers: int, progress: Progress
) -> dict[str, dict[str, Ledger]]:
    """Check all shards in parallel; readable ledgers by dataset and shard."""
    names = {
        dataset: sorted({shard for name in store.list(dataset) if (shard := shard_of(name))})
        for dataset in report.datasets
    }
    ledgers: dict[str, dict[str, Ledger]] = {dataset: {} for dataset in report.datasets}
    progress.start(_TASK, sum(map(len, names.values())))
    with ThreadPoolExecutor(workers) as pool:
        jobs = [pool.submit(check_shard, store, dataset, shard) for dataset in names for shard in names[dataset]]
        for job in as_completed(jobs):
            check = job.result()
            _add(report, check)
            if check.ledger is not None:
                ledgers[check.dataset][check.shard] = check.ledger
            progress.advance(_TASK, note=f"{check.dataset}/{check.shard}")
    progress.finish(_TASK)
    return ledgers


def _add(report: VerifyReport, check: ShardCheck) -> None:
    report.shards += 1
    report.samples += check.samples
    report.num_bytes += check.num_bytes
    report.problems += check.problems


def _check_dataset(
    store: ShardStore, dataset: str, ledgers: dict[str, Ledger], report: VerifyReport
) -> DatasetRecord | None:
    """The files around the shards: dataset.json, the index, the rejected items, and files that do not belong here."""
    try:
        record = read_dataset_record(store, dataset)
    except DataError as error:
        report.problems.append(Problem(dataset, DATASET, error.what, error.fix or _AGAIN))
        return None
    assert record is not None  # the dataset was found by this file
    if not record.complete:
        report.problems.append(Problem(dataset, DATASET, "the dataset is not finished", _AGAIN))
    report.problems += _compare_with_record(dataset, record, ledgers)
    report.problems += _foreign(dataset, store.list(dataset))
    if record.complete and ledgers.keys() == {shard.name for shard in record.shards}:
        report.problems += _compare_tables(store, dataset, record, ledgers)
    return record


def _compare_with_record(dataset: str, record: DatasetRecord, ledgers: dict[str, Ledger]) -> Iterator[Problem]:
    for shard in record.shards:
        ledger = ledgers.get(shard.name)
        if ledger is None:
            yield Problem(dataset, shard.name, "the shard is listed but not committed", _AGAIN, shard.name)
        elif (ledger.record.sha256, ledger.record.samples) != (shard.sha256, shard.samples):
            yield Problem(dataset, DATASET, f"it describes another {shard.name}", _AGAIN)
    if record.complete:
        for name in sorted(ledgers.keys() - {shard.name for shard in record.shards}):
            fix = "remove the shard and its ledger"
            yield Problem(dataset, name, "a shard that the dataset does not list", fix)


def _compare_tables(
    store: ShardStore, dataset: str, record: DatasetRecord, ledgers: dict[str, Ledger]
) -> Iterator[Problem]:
    index, rejected = compact([ledgers[shard.name] for shard in record.shards])
    for name, expected in ((INDEX, index), (REJECTED, rejected)):
        try:
            found = read_index(store, dataset, None) if name == INDEX else read_rejected(store, dataset)
        except DataError as error:
            yield Problem(dataset, name, error.what, _AGAIN)
            continue
        if not found.equals(expected):
            yield Problem(dataset, name, "it is not the sum of the ledgers", _AGAIN)


def _foreign(dataset: str, files: dict[str, int | None]) -> Iterator[Problem]:
    known = {DATASET, INDEX, REJECTED}
    for name in files:
        if is_temporary(name):
            yield Problem(dataset, name, "a temporary file: of a build that runs, or was killed", _AGAIN)
        elif name not in known and shard_of(name) is None:
            yield Problem(dataset, name, "a foreign file", "move it elsewhere")
        elif name.endswith(".tar") and ledger_name(name) not in files:
            yield Problem(dataset, name, "the shard has no ledger: it was never committed", _AGAIN, name)


def _check_root(
    store: ShardStore,
    entries: dict[str, int | None],
    datasets: list[str],
    records: dict[str, DatasetRecord | None],
) -> Iterator[Problem]:
    for name in entries.keys() - {MANIFEST, *datasets}:
        what = "a temporary file: of a build that runs, or was killed" if is_temporary(name) else "a foreign file"
        yield Problem("", name, what, _AGAIN if is_temporary(name) else "move it elsewhere")
    try:
        manifest = read_manifest(store)
    except DataError as error:
        yield Problem("", MANIFEST, error.what, error.fix or _AGAIN)
        return
    if manifest is None:
        yield Problem("", MANIFEST, "the manifest is missing, or lists no dataset", _AGAIN)
    else:
        yield from _compare_manifest(manifest, records)


def _compare_manifest(manifest: Manifest, records: dict[str, DatasetRecord | None]) -> Iterator[Problem]:
    for dataset, built in manifest.datasets.items():
        record = records.get(dataset)
        if dataset not in records:
            yield Problem(dataset, MANIFEST, "the manifest lists a dataset that is not here", _AGAIN)
        elif record is not None and built_record(record) != built:
            yield Problem(dataset, MANIFEST, "the manifest has other counts than dataset.json", _AGAIN)
