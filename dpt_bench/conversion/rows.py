"""Rows of a build's report, from what is missing, planned, finished or refused."""

from __future__ import annotations

from collections.abc import Collection

from dpt_bench.conversion.convert_item import Source
from dpt_bench.conversion.estimate import estimate_bytes
from dpt_bench.conversion.members import Found, Missing
from dpt_bench.conversion.options import SampleOptions
from dpt_bench.conversion.plan import DatasetPlan
from dpt_bench.conversion.report import DatasetRow, Status
from dpt_bench.shards.layout import ShardStore
from dpt_bench.shards.records import DatasetRecord, built_record, read_dataset_record


def missing_row(store: ShardStore, member: Missing) -> DatasetRow:
    """A member without raw data: missing, or present where an earlier build has finished it."""
    record = read_dataset_record(store, member.name)
    if record is None or not record.complete:
        return DatasetRow(member.name, "missing", note=member.why)
    return finished_row(record, "present", "finished earlier; its raw folder is gone")


def planned_row(found: Found, plan: DatasetPlan, options: SampleOptions) -> DatasetRow:
    """A dataset of a dry run, with the size that a few of its items suggest."""
    source = Source.open(found.argument, plan.identity.recipe_sha256, found.root)
    counts = {split: items.count for split, items in plan.identity.items.items()}
    size = estimate_bytes(plan, source, options)
    return DatasetRow(plan.dataset, "planned", counts, {}, len(plan.shards), size, "; ".join(plan.remarks))


def finished_row(record: DatasetRecord, status: Status, note: str = "") -> DatasetRow:
    """A dataset all of whose shards are there."""
    built = built_record(record)
    return DatasetRow(
        record.identity.dataset, status, record.samples, record.rejections, built.shards, built.num_bytes, note
    )


def refused_row(record: DatasetRecord, total: int, expected: Collection[str], ceiling: float) -> DatasetRow:
    """A dataset of whose `total` items too many were rejected, not counting those for `expected` reasons."""
    rejected = {reason: count for reason, count in record.rejections.items() if reason not in expected}
    number = sum(rejected.values())
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in rejected.items())
    limit = f"more than {ceiling:.1%}, or all of a split that is needed"
    what = f"{number:,} of {total:,} items were rejected ({number / total:.1%}; {limit}): {reasons}"
    return finished_row(record, "failed", what)
